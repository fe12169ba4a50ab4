import { ALNUM, B64, DIGIT, HEX, LOWER, UPPER, WEB } from "./alphabets.js";
import type { CorpusItem, Dice } from "./corpus.js";

/** Parts a prefix, so that no scanner takes this file for a leak. */
const part = (text: string): string => text;

/** What is to be found, written down as people and programs write it. */
type Write = (value: string, dice: Dice) => string;

/** A secret that tells itself by its form, wherever it stands. */
const SHAPED: Readonly<Record<string, (d: Dice) => string>> = {
  anthropic: (d) => `sk-${part("ant-api03")}-${d.chars(WEB, 93)}AA`,
  openai: (d) => `sk-${part("proj")}-${d.chars(WEB, 74)}T3Bl${part("bkFJ")}${d.chars(WEB, 73)}`,
  github: (d) => `gh${d.pick(["p", "o", "s"])}_${d.chars(ALNUM, 36)}`,
  finegrained: (d) => `github${part("_pat_")}${d.chars(ALNUM, 22)}_${d.chars(ALNUM, 59)}`,
  gitlab: (d) => `glp${part("at-")}${d.chars(WEB, 20)}`,
  slack: (d) => `xo${part("xb-")}${d.chars(DIGIT, 12)}-${d.chars(DIGIT, 13)}-${d.chars(ALNUM, 24)}`,
  awsId: (d) => `AK${part("IA")}${d.chars(`${UPPER}234567`, 16)}`,
  google: (d) => `AI${part("za")}${d.chars(WEB, 35)}`,
  stripe: (d) => `sk_${part("live")}_${d.chars(ALNUM, 24)}`,
  npm: (d) => `np${part("m_")}${d.chars(ALNUM, 36)}`,
  huggingface: (d) => `h${part("f_")}${d.chars(UPPER + LOWER, 34)}`,
  jwt: (d) =>
    `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString("base64url")}.${Buffer.from(`{"sub":"${d.chars(DIGIT, 8)}"}`).toString("base64url")}.${d.chars(WEB, 43)}`,
  age: (d) => `AGE-SECRET-${part("KEY-1")}${d.chars("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)}`,
  telegram: (d) => `${d.chars(DIGIT, 10)}:AA${d.chars(WEB, 33)}`,
  sendgrid: (d) => `S${part("G.")}${d.chars(WEB, 22)}.${d.chars(WEB, 43)}`,
  pypi: (d) => `pypi-${part("AgEIcHlwaS5vcmc")}${d.chars(WEB, 150)}`,
  vault: (d) => `hv${part("s.")}${d.chars(WEB, 92)}`,
  digitalocean: (d) => `dop${part("_v1_")}${d.chars(HEX, 64)}`,
  notion: (d) => `nt${part("n_")}${d.chars(ALNUM, 46)}`,
  linear: (d) => `lin${part("_api_")}${d.chars(ALNUM, 40)}`,
  groq: (d) => `gs${part("k_")}${d.chars(ALNUM, 52)}`,
  databricks: (d) => `da${part("pi")}${d.chars(HEX, 32)}`,
  shopify: (d) => `shp${part("at_")}${d.chars(HEX, 32)}`,
  tailscale: (d) => `tskey-${part("auth-")}${d.chars(ALNUM, 17)}-${d.chars(ALNUM, 32)}`,
  doppler: (d) => `dp${part(".pt.")}${d.chars(ALNUM, 43)}`,
};

const ANYWHERE: readonly Write[] = [
  (v) => `{"${v}": {"owner": "ana", "uses": 3}}`,
  (v) => `{"keys": ["${v}", "none"], "n": 2}`,
  (v) => `Here's my key: ${v} (don't share it)`,
  (v) => `I pasted ${v}. Then it worked.`,
  (v) => `Did you mean ${v}?`,
  (v) => `Use ${v}!`,
  (v) => `- **old**: ~~${v}~~\n- new: see 1Password\n`,
  (v) => `“${v}”`,
  (v) => `«${v}»`,
  (v) => `the key ‘${v}’ works`,
  (v) => `(${v})`,
  (v) => `[link](https://api.example.org/v1/items?key=${v})`,
  (v) => `![img](https://cdn.example.org/x.png?sig=1&token=${v} "title")`,
  (v) => `<https://example.org/cb#access_token=${v}&token_type=bearer>`,
  (v) => `<a href="https://example.org/?t=${v}">x</a>`,
  (v) => `<!-- ${v} -->`,
  (v) => "```bash\ncurl https://api.example.org -H 'x-key: " + v + "'\n```\n",
  (v) => "```\n" + v + "\n```\n",
  (v) => `> ${v}\n> said Ben\n`,
  (v) => `1. ${v}\n2. next\n`,
  (v) => `- [ ] rotate ${v}\n`,
  (v) => `a\tb\t${v}\tc\n`,
  (v) => `ana,"${v}",2024-03-01\n`,
  (v) => `ana;${v};2024-03-01\n`,
  (v) => `│ prod │ ${v} │\n`,
  (v) => `+OLD=${v}\n-NEW=${v.length.toString()}\n`,
  (v) => `diff --git a/x b/x\n@@ -1 +1 @@\n-  token: ${v}\n+  token: none\n`,
  (v) => `[2024-03-01T12:00:00Z] DEBUG http: auth=${v} path=/v1 status=200\n`,
  (v) => `Traceback (most recent call last):\n  File "a.py", line 3\nValueError: bad key '${v}'\n`,
  (v) => `{"cells":[{"cell_type":"code","source":["client = C(\\"${v}\\")\\n","x"]}]}`,
  (v) => JSON.stringify(JSON.stringify({ content: `use "${v}" now` })),
  (v) => `INSERT INTO creds VALUES (1, '${v}', NULL);\n`,
  (v) => `url=https%3A%2F%2Fx.example%2Fcb%3Ftoken%3D${v}%26b%3D1`,
  (v) => `echo ${v} | pbcopy`,
  (v) => `$env:ACME = "${v}"\n`,
  (v) => `setx ACME "${v}"\n`,
  (v) => `\u001b[32m${v}\u001b[0m done`,
  (v) => `ana> ${v}\nben> ok\n`,
  (v) => `key=${v};path=/`,
  (v) => `${v}\n`,
  (v) => `line one\r\n${v}\r\nline three\r\n`,
  (v) => `{'k': '${v}', 'n': None}`,
  (v) => `K(${v})`,
  (v) => `key:${v},next:1`,
  (v) => `Schlüssel für Prüfung: ${v} – bitte löschen`,
  (v) => `鍵は${v}です`,
  (v) => `_${v}_ and **${v}**`,
  (v) => `<pre>${v}</pre>`,
  (v) => `"${v}",\n"b"`,
  (v) => `fix: drop ${v} from the config\n\nIt had leaked.\n`,
];

const key = (d: Dice): string => d.chars(ALNUM, d.int(24, 44));
const hexKey = (d: Dice): string => d.chars(HEX, d.pick([32, 40, 48, 64]));
const webKey = (d: Dice): string => d.chars(WEB, d.int(28, 64)).replaceAll(/^[-_]|[-_]$/g, "a");
const made = (d: Dice): string => d.pick([key, hexKey, webKey])(d);
const chosen = (d: Dice): string =>
  d.pick([
    () =>
      `${d.pick(["Sommer", "correct", "Blue", "tiger", "Winter"])}${d.pick(["-", "!", "_", ""])}${d.chars(DIGIT, 4)}${d.pick(["!", "?", "#", ""])}`,
    () =>
      d
        .chars(`${ALNUM}!#%*+-=?@^_~`, d.int(10, 20))
        .replace(/^[^A-Za-z0-9]/, "A")
        .replace(/.$/, "7"),
    () => d.chars(ALNUM, d.int(10, 16)).replace(/.$/, "7"),
  ])();
const urlSafe = (d: Dice): string => `${d.chars(ALNUM, d.int(9, 19))}7`;

/** A secret that only what stands around it tells. */
const TOLD: Readonly<Record<string, readonly [make: (d: Dice) => string, ...writes: Write[]]>> = {
  apiKeyNote: [
    made,
    (v) => `API key: ${v}`,
    (v) => `api-key = ${v}.`,
    (v) => `My API key is ${v}, keep it.`,
    (v) => `the api key for Acme is "${v}"`,
    (v) => `* API Key (prod): \`${v}\`\n`,
    (v) => `**API Key:** ${v}\n`,
    (v) => `API_KEY: "${v}" # rotate in May\n`,
    (v) => `| API key | ${v} | prod |\n`,
    (v) => `Acme API key → ${v}\n`,
    (v) => `ACME_API_KEY='${v}' npm start`,
    (v) => `api key\n\n    ${v}\n`,
  ],
  envFile: [
    made,
    (v) => `# prod\nACME_SECRET=${v}\nDEBUG=0\n`,
    (v) => `ACME_TOKEN="${v}"\n`,
    (v) => `export ACME_API_TOKEN=${v} # mine\n`,
    (v) => `ACME_CLIENT_SECRET = '${v}'\n`,
    (v) => `set -x ACME_TOKEN ${v}\n`,
    (v) => `set ACME_TOKEN=${v}\r\n`,
    (v) => `$env:ACME_TOKEN = '${v}'\n`,
    (v) => `setx ACME_TOKEN ${v}\r\n`,
    (v) => `ENV ACME_TOKEN ${v}\n`,
    (v) => `ENV ACME_TOKEN=${v} PORT=80\n`,
    (v) => `docker run -e ACME_TOKEN=${v} acme/app`,
    (v) => `      - ACME_SECRET_KEY=${v}\n`,
    (v) => `ACME_AUTH_TOKEN:=${v}\n`,
  ],
  curl: [
    made,
    (v) => `curl -H "Authorization: Bearer ${v}" https://api.example.org/v1`,
    (v) => `curl --header 'X-API-Key: ${v}' https://api.example.org/v1`,
    (v) => `curl -H "X-Auth-Token:${v}" \\\n  https://api.example.org/v1`,
    (v) => `curl 'https://api.example.org/v1?api_key=${v}'`,
    (v) => `curl "https://api.example.org/v1?q=1&access_token=${v}&x=2"`,
    (v) => `curl -d '{"api_key":"${v}"}' https://api.example.org`,
    (v) => `curl -d "client_id=app&client_secret=${v}&grant_type=client_credentials" https://a.example/token`,
    (v) => `curl -F token=${v} https://a.example/upload`,
    (v) => `http POST a.example X-Api-Key:${v} a=1`,
    (v) => `curl -b "session=${v}" -H "Cookie: sessionid=${v}" https://a.example`,
    (v) => `xh a.example "Authorization: token ${v}"`,
    (v) => `wget --header="Authorization: Bearer ${v}" https://a.example/f`,
  ],
  curlUser: [
    urlSafe,
    (v) => `curl -u ana:${v} https://a.example`,
    (v) => `curl --user "ana:${v}" https://a.example`,
    (v) => `git clone https://ana:${v}@git.example.org/a.git`,
    (v) => `pip install --index-url https://__token__:${v}@pypi.example.org/simple a`,
    (v) => `HTTPS_PROXY=http://proxyuser:${v}@10.0.0.1:3128`,
    (v) => `psql "postgresql://app:${v}@db.example.org/app"`,
    (v) => `mongodb://root:${v}@mongo:27017/?authSource=admin`,
    (v) => `DATABASE_URL: 'mysql2://app:${v}@127.0.0.1:3306/app'`,
    (v) => `redis://default:${v}@cache.example.org:6379/0`,
    (v) => `amqp://guest1:${v}@rabbit/vhost`,
  ],
  yaml: [
    made,
    (v) => `auth:\n  token: ${v}\n`,
    (v) => `acme:\n  api_key: '${v}'\n  region: eu\n`,
    (v) => `secrets:\n  - name: ACME_TOKEN\n    value: "${v}"\n`,
    (v) => `client_secret: &secret ${v}\nother: *secret\n`,
    (v) => `token: >-\n  ${v}\nnext: 1\n`,
    (v) => `{auth: {apiKey: ${v}, user: ana}}\n`,
    (v) => `env:\n  ACME_API_KEY: ${v}\n`,
    (v) => `access-token: !!str ${v}\n`,
  ],
  toml: [
    made,
    (v) => `[acme]\napi_key = "${v}"\n`,
    (v) => `auth = { token = '${v}', user = "ana" }\n`,
    (v) => `"api-key" = "${v}"\n`,
    (v) => `[default]\naws_session = 1\nsecret_key=${v}\n`,
    (v) => `; comment\nsecret = ${v}\n`,
    (v) => `app.auth.secret=${v}\n`,
    (v) => `acme.api.key: ${v}\n`,
  ],
  json: [
    made,
    (v) => `{"apiKey":"${v}"}`,
    (v) => `{"api":{"key":"${v}","url":"https://a.example"}}`,
    (v) => `{"credentials":{"acme":{"access_token":"${v}","expires":3600}}}`,
    (v) => `{"headers":{"x-api-key":"${v}","accept":"*/*"}}`,
    (v) => `{"headers":[{"name":"X-Api-Key","value":"${v}"}]}`,
    (v) => `{"key":"ACME_TOKEN","value":"${v}","type":"secret"}`,
    (v) => `{\n  "refreshToken" : "${v}"\n}`,
    (v) => `{"mcpServers":{"acme":{"command":"npx","env":{"ACME_API_KEY":"${v}"}}}}`,
    (v) => `{"mcpServers":{"acme":{"args":["-y","acme","--api-key","${v}"]}}}`,
    (v) => `{"mcpServers":{"acme":{"args":["--token=${v}"]}}}`,
    (v) => `{"role":"user","content":"my token is ${v} ok?"}`,
    (v) => `{"observations":["Ana's API key: ${v}","likes tea"]}`,
    (v) => JSON.stringify({ arguments: JSON.stringify({ api_key: v, q: 1 }) }),
    (v) => JSON.stringify({ output: `ACME_SECRET=${v}\nPORT=80\n` }),
    (v) => `{"secret":"${v}"}`,
    (v) => `{"tokens":{"access":"${v}"}}`,
    (v) => `{'auth_token': '${v}'}`,
  ],
  code: [
    made,
    (v) => `const apiKey = "${v}";`,
    (v) => `const API_KEY = \`${v}\`;`,
    (v) => `client = Acme(api_key="${v}")`,
    (v) => `acme.api_key = '${v}'`,
    (v) => `private static final String API_KEY = "${v}";`,
    (v) => `let api_token: &str = "${v}";`,
    (v) => `apiKey := "${v}"`,
    (v) => `define('AUTH_KEY', '${v}');`,
    (v) => `config.secret_key_base = '${v}'`,
    (v) => `:api_key => "${v}",`,
    (v) => `api_key: "${v}",`,
    (v) => `headers = {"Authorization": "Bearer ${v}"}`,
    (v) => `req.Header.Set("X-Api-Key", "${v}")`,
    (v) => `fetch(u, { headers: { authorization: \`Bearer ${v}\` } })`,
    (v) => `variable "api_token" {\n  default = "${v}"\n}`,
    (v) => `os.environ["ACME_TOKEN"] = "${v}"`,
    (v) => `SECRET_KEY = '${v}'  # noqa`,
    (v) => `#define API_KEY "${v}"`,
    (v) => `api_key <- "${v}"`,
    (v) => `UPDATE settings SET api_key = '${v}' WHERE id = 1;`,
    (v) => `kubectl create secret generic acme --from-literal=api-key=${v}`,
    (v) => `gh secret set ACME_TOKEN --body "${v}"`,
    (v) => `vercel env add ACME_TOKEN ${v}`,
    (v) => `heroku config:set ACME_SECRET=${v}`,
    (v) => `echo "ACME_TOKEN=${v}" >> .env`,
    (v) => `security add-generic-password -a ana -s acme -w ${v}`,
    (v) => `<api-key>${v}</api-key>`,
    (v) => `<add key="AcmeSecret" value="${v}"/>`,
    (v) => `<property name="apiToken" value="${v}" />`,
    (v) => `<input type="hidden" name="access_token" value="${v}">`,
  ],
  password: [
    chosen,
    (v) => `password: ${v}`,
    (v) => `Password = "${v}"`,
    (v) => `the password is ${v}.`,
    (v) => `the wifi password is "${v}"`,
    (v) => `pw: ${v}\n`,
    (v) => `login ana / password ${v}\n`,
    (v) => `user: ana\npass: ${v}\n`,
    (v) => `{"username":"ana","password":"${v}"}`,
    (v) => `{"db":{"user":"app","pass":"${v}"}}`,
    (v) => `DB_PASS='${v}'\n`,
    (v) => `MYSQL_ROOT_PASSWORD=${v}\n`,
    (v) => `spring.datasource.password=${v}\n`,
    (v) => `host=db port=5432 user=app password=${v} dbname=app`,
    (v) => `Server=db;Database=app;User Id=sa;Password=${v};`,
    (v) => `<password>${v}</password>`,
    (v) => `PGPASSWORD=${v} psql -h db app`,
    (v) => `| admin | password | ${v} |\n`,
    (v) => `Passwort: ${v}\n`,
    (v) => `contraseña: ${v}\n`,
    (v) => `mot de passe : ${v}\n`,
    (v) => `senha: ${v}\n`,
    (v) => `пароль: ${v}\n`,
    (v) => `密码：${v}\n`,
    (v) => `パスワード: ${v}\n`,
    (v) => `wachtwoord: ${v}\n`,
    (v) => `hasło: ${v}\n`,
    (v) => `password=${v}&user=ana`,
    (v) => `net user ana /add\npassword: ${v}\n`,
    (v) => `passphrase: "${v}"`,
    (v) => `CREATE USER app WITH PASSWORD '${v}';`,
    (v) => `ALTER USER app IDENTIFIED BY '${v}';`,
    (v) => `sshpass -p '${v}' ssh ana@host`,
    (v) => `mysql -uroot -p'${v}' app`,
    (v) => `redis-cli -a '${v}' ping`,
    (v) => `requirepass ${v}\n`,
    (v) => `WIFI:T:WPA;S:home;P:${v};;`,
  ],
  machine: [
    (d) => d.chars(B64, 43),
    (v) => `AWS_SECRET_ACCESS_KEY=${v}\n`,
    (v) => `fernet_key = "${v}="`,
    (v) => `PrivateKey = ${v}=\n`,
    (v) => `ENCRYPTION_KEY=${v}=\n`,
    (v) => `AccountKey=${v}=;EndpointSuffix=core.windows.net`,
    (v) => `jwt_secret: ${v}=\n`,
    (v) => `SharedAccessKey=${v}=`,
    (v) => `"webhook_secret": "${v}="`,
  ],
  others: [
    (d) => d.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32),
    (v) => `otpauth://totp/Acme:ana?secret=${v}&issuer=Acme`,
    (v) => `TOTP secret: ${v}\n`,
    (v) => `2FA secret ${v} for Acme\n`,
    (v) => `mfa_secret = "${v}"`,
  ],
  docker: [
    (d) => Buffer.from(`ana:${d.chars(ALNUM, 18)}`).toString("base64"),
    (v) => `{"auths":{"registry.example.org":{"auth":"${v}"}}}`,
    (v) => `Authorization: Basic ${v}\n`,
    (v) => `//registry.example.org/:_auth=${v}\n`,
    (v) => `{"headers":{"Authorization":"Basic ${v}"}}`,
  ],
  cookie: [
    (d) => d.chars(ALNUM, 40),
    (v) => `Cookie: a=1; sid=${v}; b=2\n`,
    (v) => `Set-Cookie: auth_token=${v}; HttpOnly\n`,
    (v) => `cookie: __Secure-next-auth.session-token=${v}\n`,
    (v) => `{"name":"sessionid","value":"${v}","domain":".example.org"}`,
    (v) => `.example.org\tTRUE\t/\tTRUE\t1790000000\tsession_token\t${v}\n`,
  ],
};

/** Secrets of many kinds as they stand in notes, code, configuration, logs; written without a look at the rules. */
export function fieldSecrets(dice: Dice, rounds = 1): readonly CorpusItem[] {
  const items: CorpusItem[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [kind, make] of Object.entries(SHAPED)) {
      for (let count = 0; count < 12; count++) {
        const secret = make(dice);
        const index = dice.int(0, ANYWHERE.length - 1);
        const write = ANYWHERE[index];
        if (write !== undefined)
          items.push({ kind, layout: `anywhere ${String(index)}`, text: write(secret, dice), secret });
      }
    }
    for (const [kind, [make, ...writes]] of Object.entries(TOLD)) {
      for (const [index, write] of writes.entries()) {
        const secret = make(dice);
        items.push({ kind, layout: String(index), text: write(secret, dice), secret });
      }
    }
  }
  return items;
}

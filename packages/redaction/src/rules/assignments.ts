import { entropyOf, hasKeyRun, isPlaceholder, mixes, restlessness } from "../randomness.js";
import { isLocation, isReference } from "../references.js";
import { type Around, type SecretRule, secretPattern } from "../secret-rule.js";

const SIGNS = charactersOf(/[=:|>(,"'`*\\[\])}{<.\r\n\t→-]/);
const IN_NAME = charactersOf(/[\w-]/);
function charactersOf(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 65_536 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0));
}

/** A word of a name that says what kind of secret is meant, and what may follow it in the name. */
const NAME = String.raw`(?:tokens?\."?(?:access|refresh|bot|user|api)(?:_?token)?|(?:key|token|secret|passw(?:or)?d|passwd|passphrase|passcode|pwd|pass|credentials?|auth|(?<![A-Za-z])pw(?![A-Za-z]))(?:[\w-]{0,24}(?!\w)|[ \t](?:key|token|id)(?!\w)))`;
/** "the key for Acme (prod)": between a name and its sign. */
const AMONG = String.raw`(?:[ \t](?:for|of|to|on|in|from|at)[ \t][\w.@/ -]{1,40}?)?(?:[ \t](?:\([^()\n]{1,24}\)|\[[^[\]\n]{1,24}\]))?`;
const CLOSE = String.raw`["'\`*\\\]|)\t ]{0,6}`;
const SIGN = String.raw`(?:=>|:=|<-|={1,3}|:[ \t]?[&'A-Za-z][\w<>[\]?.' ]{0,24}[ \t]?=(?=[ \t]?["'\`])|:|->|→|\||\bis\b(?:[ \t]now)?:?|>|,(?=[ \t]?["'\`])|\((?=["'\`]))`;
const OPEN = String.raw`[*[|(\t ]{0,4}`;
const ASSIGNMENT = `${NAME}${AMONG}${CLOSE}${SIGN}${OPEN}`;
/** Where a value without quotes ends: at a blank, with or without punctuation before it, or where the next name begins. */
const VALUE_END = String.raw`(?=[,;.:)}\]*|]{0,4}(?:[\s"'\`<>]|$|\\[nrt"]|\u001b)|[,;&]\s?[\w.% -]{1,30}[=:])`;

const PATTERNS = [
  secretPattern(
    String.raw`${ASSIGNMENT}(?<quote>["'\`])(?<secret>(?:(?!\k<quote>)[^\\\s]|\\[^\s]){6,512}?)\k<quote>`,
    "i",
  ),
  secretPattern(
    String.raw`${ASSIGNMENT}\\{0,3}["'\`]?(?<secret>[^\s"'\`<>\\,;[{(][^\s"'\`<>\\]{4,2047}?[^\s"'\`<>\\,;:.)}\]*|])${VALUE_END}`,
    "i",
  ),
  // Name and value as two members: {"name": "API_KEY", "value": "…"}, <add key="…" value="…"/>, YAML of Kubernetes.
  secretPattern(
    String.raw`${NAME}["'\\]{0,4}[ \t]?,?\s{0,24}(?:[\w-]{1,24}\.)?["'\\]{0,4}value["'\\]{0,4}\s{0,2}[:=]\s{0,2}["'\\]{0,4}(?<secret>[^\s"'\`<>\\]{5,511}[^\s"'\`<>\\),;}\]])`,
    "i",
  ),
  secretPattern(
    String.raw`${NAME}[ \t]{1,2}(?<secret>[\w+/-]{20,512}={0,2})(?=[,;.:!?)"'\`}\]]{0,3}(?:\s|$|\\[nrt"]))`,
    "i",
  ),
  // The same in quotes: #define API_KEY "…", gh secret set API_KEY --body "…", the password 'hunter2'.
  secretPattern(
    String.raw`${NAME}[ \t]{1,2}(?:--?[a-z]{1,12}[ \t=])?(?<quote>["'\`])(?<secret>(?:(?!\k<quote>)[^\\\s]){6,512}?)\k<quote>`,
    "i",
  ),
  secretPattern(
    String.raw`passw(?:or)?d[ \t]{1,2}(?<secret>[^\s"'\`<>\\]{8,128}?)(?=[,;.:!?)"'\`}\]]{0,3}(?:\s|$))`,
    "i",
  ),
  // YAML with a tag, an anchor or a block.
  secretPattern(
    String.raw`${NAME}["']?:[ \t]{1,2}(?:[|>][-+\d]{0,2}[ \t]{0,4}\r?\n[ \t]{1,16}|!!?\w{1,12}[ \t]|&\w{1,24}[ \t])["']?(?<secret>[^\s"'\`<>\\]{5,511}[^\s"'\`<>\\,;])`,
    "i",
  ),
  // A heading, and the value alone in the next line, or in a block of code.
  secretPattern(
    String.raw`${NAME}${AMONG}[*\`_]{0,3}:?[*\`_]{0,3}[ \t]{0,2}\r?\n(?:[ \t]{0,8}\r?\n){0,2}(?:[ \t]{0,8}\`\`\`\w{0,12}\r?\n)?[ \t>*-]{0,8}\`?(?<secret>[^\s"'\`<>\\|]{8,512})\`?[ \t]{0,2}(?=\r?\n|$)`,
    "i",
  ),
  // A variable of Terraform.
  secretPattern(
    String.raw`${NAME}"\s{0,2}\{\s{0,24}(?:[^\n{}"]{0,40}(?:"[^"\n]{0,100}")?[ \t]{0,4}\n\s{0,24}){0,4}?default[ \t]{0,12}=[ \t]{0,2}"(?<secret>[^\s"]{6,512})"`,
    "i",
  ),
];

/** A variable of the environment: nothing in prose is written so. */
const VARIABLE = /(?:^|[^A-Za-z0-9])[A-Z][A-Z0-9]*_[A-Z0-9_]+$/;

/** Names of keys that only ever hold a secret; `key` alone is a word of databases, maps and keyboards. */
const SECRET_KEY =
  /(?:api|access|secret|private|encrypt(?:ion)?|decrypt(?:ion)?|sign(?:ing|ature)?|master|auth|service|account|admin|app(?:lication)?|consumer|licen[cs]e|deploy|write|read|ingest|client|webhook|shared|session|storage|subscription|integration|server|bot|root|rest|live|prod|test|hmac|jwt|cookie|fernet|aes|ssh|host|user|dev|team|org|project|search|management|publish|push|function|device|kms|django|flask|rails|base|hash|salt)[-_. ]?key$/i;
const NO_SECRET =
  /public|primary[-_]?key|foreign|sort[-_]?key|partition|cache[-_]?key|idempoten|dedup|routing[-_]?key|key[-_]?(?:id|name|path|file|type|size|length|board|word|code|ring|hash|fingerprint|stroke|alias|arn|usage|vault|value|map|set|prefix|version|frame|point|note)|token[-_]?(?:id|name|type|count|limit|usage|url|uri|endpoint|path|file|izer|expir|length|budget|address|ttl|s$|s[-_])|max[-_]?tokens|tokens$|page[-_]?token|continuation|cursor|secret[-_]?(?:id|name|path|file|ref|arn|version|url|manager)|credentials?[-_]?(?:id|type|path|file|name|helper)|pass(?:word|wd|phrase)?[-_]?(?:hash|file|path|length|policy|field|reset|changed|updated|last|strength|hint|min|max|age|expir|encoder|command)|passport|passenger|passage|passive|passing|passed|bypass|compass|author(?:s|ed|_|$|ity|ization)|authent|auth[-_]?(?:url|uri|type|method|mode|domain|provider|endpoint|server|flow|scheme|scope|enabled|host)|oauth2?$|monkey|turkey|donkey|hockey|jockey|whiskey|hotkey|object[-_]?key|hash$/i;

type Kind = "password" | "key" | "none";

const kinds = new Map<string, Kind>();
/** Names that are remembered: most texts have few, over and over. */
const MOST_KINDS = 4096;

/** What kind of secret the whole name tells of. */
function kindOf(name: string): Kind {
  let kind = kinds.get(name);
  if (kind !== undefined) return kind;
  kind = kindOfNew(name);
  if (kinds.size >= MOST_KINDS) kinds.clear();
  kinds.set(name, kind);
  return kind;
}

function kindOfNew(name: string): Kind {
  if (NO_SECRET.test(name)) return "none";
  if (/passw|passphrase|passcode|pwd|(?:^|[-_.a-z])pass$|(?:^|[-_.])pw$/i.test(name)) return "password";
  if (/token|secret|credential/i.test(name)) return "key";
  if (/(?:^|[-_.])auth(?:[-_]?(?:key|code|string))?$/i.test(name) || SECRET_KEY.test(name)) return "key";
  return "none";
}

const BEFORE = charactersOf(/[\w. -]/);

/** The words and parts of a name before a keyword. In JSON the name of an object stands before a dot and the name in it in quotes. */
function nameBefore(text: string, from: number): string {
  const least = Math.max(0, from - 32);
  let at = from;
  while (at > least && BEFORE[text.charCodeAt(at - 1)] === 1) at--;
  if (at - 2 < least || text[at - 1] !== '"' || text[at - 2] !== ".") return text.slice(at, from);
  let outer = at - 2;
  while (outer > least && IN_NAME[text.charCodeAt(outer - 1)] === 1) outer--;
  return text.slice(outer, at - 1) + text.slice(at, from);
}

function isNamedSecret(value: string, { text, from, start }: Around): boolean {
  // In JSON the name of an object stands before a dot and the name in it in quotes.
  const before = nameBefore(text, from);
  const own = (/^(?:tokens?\."?)?[\w-]+(?:[ \t](?:key|token)\b)?/.exec(text.slice(from, start))?.[0] ?? "").replace(
    '"',
    "",
  );
  // In prose the words before may be anything; only the nearest belongs to the name.
  const words = before.split(" ");
  const name = `${words.slice(-2).join("_")}${own}`.replaceAll(" ", "_");
  const kind = kindOf(name);
  if (kind === "none" || isPlaceholder(value) || isReference(value) || isLocation(value)) return false;
  if (/^(?:sha\d{1,3}[:-]|v?\d+(?:\.\d+)+$|\d{4}-\d\d-\d\d)|[\u0080-\uffff]{4}/.test(value)) return false;
  const sign = text.slice(from + own.length, start);
  if (sign.includes("\n") && !/[|{>,"']|!!|&|value|^[*`_]{0,3}:/i.test(sign) && !isBeyondDoubt(value, name))
    return false;
  // A comparison with a name, a default within a reference, and a part of the name of a resource are none.
  if (sign.includes("==") && !/["'`]/.test(sign)) return false;
  if (/\$\{\w*$|\barn:[\w:/-]*$/.test(text.slice(Math.max(0, from - 120), from))) return false;
  if (/^[ \t]+(?:--?[a-z]+[ \t=])?["'`]?$/.test(sign) && !isToldByBlank(value, name, kind, sign)) return false;
  return kind === "password" ? isPassword(value, sign) : isKey(value, name);
}

/** The variable of an environment, a password in quotes, or a value that is beyond doubt. */
function isToldByBlank(value: string, name: string, kind: Kind, sign: string): boolean {
  if (kind === "password" && /["'`]$/.test(sign)) return true;
  if (kind === "password" && mixes(value, 3) && /[!@#$%^&*~=?+]/.test(value.slice(0, -1))) return true;
  return (VARIABLE.test(name) && hasKeyRun(value, 16) && entropyOf(value) >= 3) || isBeyondDoubt(value, name);
}

/** With nothing but a blank between, prose and paths begin: a long value of every kind of character, or the name of an API key. */
function isBeyondDoubt(value: string, name: string): boolean {
  if (!hasKeyRun(value, 16) || /pass/i.test(name)) return false;
  return mixes(value, 3) ? restlessness(value) >= 0.35 : /api|auth|secret|access/i.test(name) && entropyOf(value) >= 3;
}

/** A password that somebody thought of, or a machine: not a word, nor words. */
function isPassword(value: string, sign: string): boolean {
  if (/\bis\b/.test(sign) && value.length < 8) return false;
  if (entropyOf(value) < 2.2 || /^[A-Za-z]+(?:[-_.:/][A-Za-z]+)*[:.,!?]?$/.test(value)) return false;
  return /[0-9]/.test(value) || (/[A-Za-z]/.test(value) && /[^A-Za-z0-9_.:/-]/.test(value));
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A secret of one-time passwords (RFC 4648, base32). */
const BASE32 = /^[A-Z2-7]{16,128}={0,6}$/;

/** A key that a machine made. */
function isKey(value: string, name: string): boolean {
  if (BASE32.test(value) && /otp|mfa|2fa|authenticator|secret/i.test(name)) return entropyOf(value) >= 3.2;
  if (value.length < 12 || entropyOf(value) < 2.7) return false;
  if (UUID.test(value)) return /api|secret|access[-_]?(?:key|token)|auth|private/i.test(name);
  if (!/[A-Za-z]/.test(value)) return false;
  if (!/[0-9]/.test(value))
    return value.length >= 20 && !/[^A-Za-z]/.test(value) && mixes(value, 2) && restlessness(value) >= 0.35;
  if (value.length < 16) return mixes(value, 3) && restlessness(value) >= 0.35;
  if (hasKeyRun(value, 16)) return restlessness(value) >= 0.15;
  return mixes(value, 3) && restlessness(value) >= 0.3;
}

/** What may stand between the name and its sign: "the key for Acme is …", "API token id: …". */
const JOINERS = new Set(["for", "of", "to", "on", "in", "from", "at", "is", "key", "token", "id"]);
const SHORTEST = 6;

/**
 * A name is followed by a sign, by a word that leads to one, or by a blank and what is no word. Most keywords in prose are
 * followed by a blank and a word.
 */
function mayBeAssigned(text: string, place: number): boolean {
  let at = place + 1;
  while (IN_NAME[text.charCodeAt(at)] === 1) at++;
  if (text.charCodeAt(at) !== 0x20) return SIGNS[text.charCodeAt(at)] === 1;
  while (text.charCodeAt(at) === 0x20) at++;
  if (SIGNS[text.charCodeAt(at)] === 1) return true;
  const from = at;
  let isWord = true;
  for (let code = text.charCodeAt(at); code > 0x20; code = text.charCodeAt(++at))
    if (isWord && (code < 0x61 || code > 0x7a) && (code < 0x41 || code > 0x5a)) isWord = false;
  if (at - from <= 5 && JOINERS.has(text.slice(from, at).toLowerCase().replace(":", ""))) return true;
  return at - from >= (isWord ? 20 : SHORTEST);
}

/** The value behind a name that says that it is secret: assignments in code, environments, YAML, JSON, URLs, tables, notes. */
const NAMED_SECRET: SecretRule = {
  id: "named_secret",
  description: "values of names like api_key, password, client_secret, auth_token",
  keywords: ["key", "token", "secret", "passw", "passphrase", "passcode", "pwd", "pw", "pass", "credential", "auth"],
  patterns: PATTERNS,
  reach: "keyword",
  begins: mayBeAssigned,
  check: isNamedSecret,
  generic: true,
  samples: {
    found: [
      "DB_PASSWORD=«{alnum:11}7»",
      'api_key = "«{alnum:31}7»"',
      '{"client_secret": "«{url:36}a7»"}',
      "password: «hunter2»",
      "The password for the router (old) is «Xk9{}mP2vL8q»",
      "Server=db;User Id=sa;Password=«{alnum:11}7»;Encrypt=true",
      "https://api.example.org/v1?api_key=«{hex:32}»&limit=3",
      "const apiKey: string = '«{alnum:31}7»';",
      "| api_key | `«{alnum:31}7»` |",
      "**API key**: «{alnum:31}7»",
      String.raw`{"body":"{\"secret_key\":\"«{alnum:31}7»\"}"}`,
      'os.environ.setdefault("ACME_TOKEN", "«{alnum:31}7»")',
      "<apiKey>«{alnum:31}7»</apiKey>",
      "x-api-key: «{hex:40}»",
      "SECRET_KEY_BASE=«{hex:128}»",
      "pwd: «Summer{}2024!»",
      '<add key="ApiKey" value="«{alnum:31}7»" />',
      '{"name":"DB_PASSWORD","value":"«{alnum:11}7»"}',
      "- name: DB_PASSWORD\n  value: «{alnum:11}7»",
      "the auth token «{hex:32}» is new",
      "client.set_token('«{alnum:31}7»')",
      "Secret Key [None]: «{alnum:31}7»",
      'let token: &str = "«{alnum:31}7»";',
      '#define API_KEY "«{hex:40}»"',
      "set -x ACME_TOKEN «{hex:40}»",
      "CREATE USER app WITH PASSWORD '«{alnum:11}7»';",
      "token: >-\n  «{alnum:31}7»\nnext: 1",
      "API key:\n\n```\n«{alnum:31}7»\n```",
      'variable "api_token" {\n  type    = string\n  default = "«{alnum:31}7»"\n}',
      'mfa_secret = "«{upper:32}»"',
      "pw: «{alnum:11}7»",
    ],
    spared: [
      "api_key = ${API_KEY}",
      "password: process.env.DB_PASSWORD",
      "const token = await getToken(user1);",
      "password = os.environ['DB_PASSWORD_1']",
      "key: {hex:64}",
      "cache_key: {hex:40}",
      "public_key: {base64:60}7",
      "max_tokens: 4096",
      "password: changeme",
      "API_KEY=YOUR_API_KEY_1",
      "secret: <your-secret-1>",
      "token: xxxxxxxxxxxxxxxx1",
      "the password is required",
      "author: anna-maria-1987-the-second",
      "key_id: {alnum:20}",
      "token_type: bearer2",
      "next_page_token: {alnum:40}",
      "password: [REDACTED:named_secret]",
      "private_key_path: /etc/ssl/private/server1.key",
      "session key rotation happens at 2024-01-01T00:00:00Z",
      "primary_key: user_id_2",
      "the key {hex:40} of a commit",
      "password: ${DB_PASSWORD:-default1}",
      "if password == confirm_password2:",
      "ROLE=arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf",
      "the token authentication-middleware-2024-version",
      '{"name":"key","value":"{uuid}"}',
    ],
  },
};

const SQL_PASSWORD: SecretRule = {
  id: "sql_password",
  description: "passwords of users of databases, in SQL",
  keywords: ["identified by", "identified with"],
  patterns: [
    secretPattern(
      String.raw`identified (?:by|with [\w-]{1,40} (?:by|as))(?: password)? ["'](?<secret>[^\s"'\\]{4,256})["']`,
      "i",
    ),
  ],
  reach: "keyword",
  check: (value) => !isPlaceholder(value) && !isReference(value) && entropyOf(value) >= 2,
  samples: {
    found: [
      "ALTER USER 'app' IDENTIFIED BY '«{alnum:11}7»';",
      "CREATE USER a@b IDENTIFIED WITH mysql_native_password BY '«{alnum:11}7»';",
    ],
    spared: ["identified by 'a name'", "IDENTIFIED BY '<password>'", "identified by the team"],
  },
};

const CLI_SECRET: SecretRule = {
  id: "command_line_secret",
  description: "secrets in the arguments of commands",
  keywords: ["--", " -p", " -u", " -a", " -w", "-pass", "sshpass", "requirepass", "masterauth", "bindpw", "rootpw"],
  patterns: [
    secretPattern(
      String.raw`--[\w-]{0,24}(?:password|passwd|passphrase|token|secret|api-?key|access-?key|private-?key)[ \t]{1,2}["']?(?<secret>[^\s"'\`<>|;&-][^\s"'\`<>|;&]{5,512})`,
      "i",
    ),
    secretPattern(
      String.raw`(?<=\b(?:mysql(?:dump|admin)?|mariadb)\b[^\n]{0,120}) -p["']?(?<secret>[^\s"'\`<>|;&]{6,128})`,
    ),
    secretPattern(
      String.raw`(?<=\b(?:sshpass|docker login|podman login|redis-cli|az login)\b[^\n]{0,120}) -[pa] ?["']?(?<secret>[^\s"'\`<>|;&-][^\s"'\`<>|;&]{5,128})`,
    ),
    secretPattern(
      String.raw`(?<=\b(?:curl|http|wget)\b[^\n]{0,200}) (?:-u|--user)[ =]?["']?[^\s:"'\`]{1,64}:(?<secret>[^\s"'\`<>|;]{4,256})`,
    ),
    secretPattern(String.raw`--user[ =]["']?[^\s:"'\`]{1,64}:(?<secret>[^\s"'\`<>|;]{4,256})`),
    // As the elements of a list: ["--token", "…"], and as that stands in a view of JSON.
    secretPattern(
      String.raw`--[\w-]{0,24}(?:password|passwd|passphrase|token|secret|api-?key|access-?key|private-?key)["'],?\s{0,16}(?:"[\w.-]{0,32}": )?["'](?<secret>[^\s"'\`<>|;&-][^\s"'\`<>|;&]{5,512})["']`,
      "i",
    ),
    secretPattern(
      String.raw`(?<=\badd-(?:generic|internet)-password\b[^\n]{0,120}) -w[ \t]{1,2}["']?(?<secret>[^\s"'\`<>|;&-][^\s"'\`<>|;&]{4,510}[^\s"'\`<>|;&),\]}])`,
    ),
    secretPattern(
      String.raw`(?:requirepass|masterauth|bindpw|rootpw)[ \t]{1,8}["']?(?<secret>[^\s"'\`<>|;&{-][^\s"'\`<>|;&]{4,510}[^\s"'\`<>|;&),\]}])`,
    ),
    secretPattern(String.raw`-pass(?:in|out)?[ =]pass:(?<secret>[^\s"'\`<>|;&)]{4,256})`),
  ],
  reach: "keyword",
  check: (value) =>
    !isPlaceholder(value) &&
    !isReference(value) &&
    !isLocation(value) &&
    entropyOf(value) >= 2.2 &&
    (/[0-9]/.test(value) || /[^\w.:/-]/.test(value)),
  generic: true,
  samples: {
    found: [
      "mysql -u root -p«{alnum:11}7» app",
      "deploy --token «{alnum:31}7» --env prod",
      "curl -s -u ana:«{alnum:11}7» https://example.org",
      "sshpass -p «{alnum:11}7» ssh host",
      "openssl rsa -in k.pem -passin pass:«{alnum:11}7»",
      '["-y", "acme", "--api-key", "«{alnum:31}7»"]',
      "security add-generic-password -a ana -s acme -w «{alnum:31}7»",
      "redis-cli -a «{alnum:11}7» ping",
      "requirepass «{alnum:11}7»",
    ],
    spared: [
      "mysql -u root -p app",
      "deploy --token $TOKEN1",
      "curl -u ana:$PASS1 https://example.org",
      "git log --author ana --token-file a1/b2",
      "mkdir -p src/a1",
    ],
  },
};

/** What only its name tells. They give way to every other rule. */
export const NAMED_RULES: readonly SecretRule[] = [SQL_PASSWORD, CLI_SECRET, NAMED_SECRET];

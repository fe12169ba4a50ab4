import { ALNUM, B64, DIGIT, HEX, LOWER, UPPER, WEB } from "./alphabets.js";
import type { Dice } from "./corpus.js";

export interface SecretKind {
  readonly id: string;
  make(dice: Dice): string;
  /** names it may stand beside */
  readonly names: readonly string[];
  /** nothing but its name tells it */
  readonly isNamed?: true;
  /** instead of the usual ones */
  readonly layouts?: readonly ((secret: string, dice: Dice) => string)[];
}

const uuid = (d: Dice) =>
  `${d.chars(HEX, 8)}-${d.chars(HEX, 4)}-4${d.chars(HEX, 3)}-a${d.chars(HEX, 3)}-${d.chars(HEX, 12)}`;

/** A token with a prefix. The prefixes are in two parts, so that no scanner takes this file for a leak. */
function token(id: string, head: string, tail: string, make: (d: Dice) => string, ...names: string[]): SecretKind {
  return { id, names: names.length > 0 ? names : ["API_KEY", "TOKEN", "value"], make: (d) => head + tail + make(d) };
}

const named = (id: string, names: readonly string[], make: (d: Dice) => string): SecretKind => ({
  id,
  names,
  make,
  isNamed: true,
});

const PASSWORD = `${ALNUM}!#%*+-.=?@^_~`;
const password = (d: Dice) =>
  `${d.chars(UPPER, 1)}${d.chars(PASSWORD, d.int(8, 18))}${d.chars(DIGIT, 1)}${d.chars(LOWER, 2)}`;
const urlPassword = (d: Dice) => `${d.chars(ALNUM, d.int(9, 20))}${d.chars(DIGIT, 1)}`;

function pem(label: string, lines: number): (d: Dice) => string {
  return (d) =>
    [
      "-----BEG" + `IN ${label}-----`,
      ...Array.from({ length: lines }, () => d.chars(B64, 64)),
      `${d.chars(B64, 30)}==`,
      "-----E" + `ND ${label}-----`,
    ].join("\n");
}

const PEM_LAYOUTS = [
  (secret: string) => `the key:\n\n${secret}\n\nkeep it\n`,
  (secret: string) => JSON.stringify({ private_key: `${secret}\n`, client_email: "a@b.example" }),
  (secret: string) =>
    `key: |\n${secret
      .split("\n")
      .map((line) => `  ${line}`)
      .join("\n")}\nother: 1\n`,
  (secret: string) => `KEY="${secret.replaceAll("\n", "\\n")}"\n`,
  (secret: string) => `data:\n  tls.key: ${Buffer.from(secret).toString("base64")}\n`,
  (secret: string) => `${secret.replaceAll("\n", "\r\n")}\r\n`,
];

const b64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

export const SECRET_KINDS: readonly SecretKind[] = [
  token("openai-legacy", "sk", "-", (d) => `${d.chars(ALNUM, 20)}T3BlbkFJ${d.chars(ALNUM, 20)}`, "OPENAI_API_KEY"),
  token("openai-project", "sk", "-proj-", (d) => `${d.chars(WEB, 74)}T3BlbkFJ${d.chars(WEB, 74)}`, "OPENAI_API_KEY"),
  token("anthropic", "sk", "-ant-api03-", (d) => `${d.chars(WEB, 93)}AA`, "ANTHROPIC_API_KEY"),
  token("openrouter", "sk", "-or-v1-", (d) => d.chars(HEX, 64)),
  token("deepseek", "sk", "-", (d) => d.chars(HEX, 32)),
  token("google-api", "AI", "zaSy", (d) => d.chars(WEB, 33), "GEMINI_API_KEY", "maps_key"),
  token("huggingface", "hf", "_", (d) => d.chars(UPPER + LOWER, 34), "HF_TOKEN"),
  token("groq", "gs", "k_", (d) => d.chars(ALNUM, 52)),
  token("xai", "xa", "i-", (d) => d.chars(ALNUM, 80)),
  token("perplexity", "pp", "lx-", (d) => d.chars(ALNUM, 48)),
  token("replicate", "r8", "_", (d) => d.chars(ALNUM, 37)),
  token("langsmith", "ls", "v2_pt_", (d) => `${d.chars(HEX, 32)}_${d.chars(HEX, 10)}`),
  token("nvidia", "nv", "api-", (d) => d.chars(WEB, 64)),
  token("tavily", "tv", "ly-dev-", (d) => d.chars(ALNUM, 32)),
  token("databricks", "da", "pi", (d) => d.chars(HEX, 32)),
  token("pinecone", "pc", "sk_", (d) => `${d.chars(ALNUM, 6)}_${d.chars(ALNUM, 62)}`),
  token("elevenlabs", "sk", "_", (d) => d.chars(HEX, 48)),
  token("aws-key-id", "AK", "IA", (d) => d.chars(`${UPPER}234567`, 16), "AWS_ACCESS_KEY_ID", "aws_access_key_id"),
  token("google-oauth-secret", "GO", "CSPX-", (d) => d.chars(WEB, 28)),
  token("google-access", "ya", "29.a0", (d) => d.chars(WEB, 180)),
  token("digitalocean", "do", "p_v1_", (d) => d.chars(HEX, 64)),
  token("vault", "hv", "s.", (d) => d.chars(ALNUM, 24)),
  token("supabase", "sb", "p_", (d) => d.chars(HEX, 40)),
  token("doppler", "dp", ".pt.", (d) => d.chars(ALNUM, 43)),
  token("netlify", "nf", "p_", (d) => d.chars(ALNUM, 36)),
  token("github-classic", "gh", "p_", (d) => d.chars(ALNUM, 36), "GITHUB_TOKEN", "GH_TOKEN"),
  token("github-server", "gh", "s_", (d) => d.chars(ALNUM, 36)),
  token("github-fine", "github", "_pat_", (d) => `${d.chars(ALNUM, 22)}_${d.chars(ALNUM, 59)}`),
  token("gitlab", "gl", "pat-", (d) => d.chars(WEB, 20), "GITLAB_TOKEN"),
  token(
    "gitlab-routable",
    "gl",
    "pat-",
    (d) => `${d.chars(WEB, 27)}.${d.chars(DIGIT, 2)}.${d.chars(LOWER + DIGIT, 9)}`,
  ),
  token("bitbucket", "AT", "BB", (d) => `${d.chars(ALNUM, 24)}${d.chars(`${DIGIT}ABCDEF`, 8)}`),
  token("atlassian", "AT", "ATT3xFf", (d) => `GF0${d.chars(WEB, 170)}=${d.chars(`${DIGIT}ABCDEF`, 8)}`),
  token("npm", "np", "m_", (d) => d.chars(ALNUM, 36), "NPM_TOKEN"),
  token("pypi", "py", "pi-AgEIcHlwaS5vcmc", (d) => `CJ${d.chars(WEB, 150)}`),
  token("rubygems", "ruby", "gems_", (d) => d.chars(HEX, 48)),
  token("dockerhub", "dckr", "_pat_", (d) => d.chars(WEB, 27)),
  token("slack-bot", "xo", "xb-", (d) => `${d.chars(DIGIT, 12)}-${d.chars(DIGIT, 13)}-${d.chars(ALNUM, 24)}`),
  token("slack-app", "xa", "pp-1-", (d) => `A${d.chars(UPPER + DIGIT, 10)}-${d.chars(DIGIT, 13)}-${d.chars(HEX, 64)}`),
  token("telegram", "", "", (d) => `${d.int(1, 9)}${d.chars(DIGIT, 9)}:AA${d.chars(WEB, 33)}`, "TELEGRAM_BOT_TOKEN"),
  token(
    "discord",
    "MT",
    "",
    (d) => `${d.pick(["E", "I", "M"])}${d.chars(ALNUM, 23)}.G${d.chars(WEB, 5)}.${d.chars(WEB, 38)}`,
    "DISCORD_TOKEN",
  ),
  token("notion", "nt", "n_", (d) => d.chars(ALNUM, 46)),
  token("linear", "lin", "_api_", (d) => d.chars(ALNUM, 40)),
  token("figma", "fi", "gd_", (d) => d.chars(WEB, 40)),
  token("airtable", "pa", "t", (d) => `${d.chars(ALNUM, 14)}.${d.chars(HEX, 64)}`),
  token("hubspot", "pat", "-na1-", uuid),
  token("stripe-live", "sk", "_live_", (d) => d.chars(ALNUM, d.pick([24, 99])), "STRIPE_SECRET_KEY"),
  token("stripe-test", "rk", "_test_", (d) => d.chars(ALNUM, 24)),
  token("stripe-webhook", "wh", "sec_", (d) => d.chars(ALNUM, 32)),
  token("shopify", "sh", "pat_", (d) => d.chars(HEX, 32)),
  token("square", "sq", "0csp-", (d) => d.chars(WEB, 43)),
  token("plaid", "access", "-production-", uuid),
  token("sendgrid", "S", "G.", (d) => `${d.chars(WEB, 22)}.${d.chars(WEB, 43)}`),
  token("mailgun", "ke", "y-", (d) => d.chars(HEX, 32)),
  token("mailchimp", "", "", (d) => `${d.chars(HEX, 32)}-us${d.int(1, 21)}`),
  token("resend", "re", "_", (d) => `${d.chars(ALNUM, 8)}_${d.chars(ALNUM, 24)}`),
  token("brevo", "xkey", "sib-", (d) => `${d.chars(HEX, 64)}-${d.chars(ALNUM, 16)}`),
  token("twilio-key", "S", "K", (d) => d.chars(HEX, 32)),
  token("newrelic", "NR", "AK-", (d) => d.chars(UPPER + DIGIT, 27)),
  token("sentry", "sntr", "yu_", (d) => d.chars(HEX, 64)),
  token("grafana", "gl", "sa_", (d) => `${d.chars(ALNUM, 32)}_${d.chars(HEX, 8)}`),
  token("posthog", "ph", "x_", (d) => d.chars(ALNUM, 43)),
  token("tailscale", "ts", "key-auth-", (d) => `k${d.chars(ALNUM, 11)}CNTRL-${d.chars(ALNUM, 32)}`),
  token("age", "AGE-SECRET", "-KEY-1", (d) => d.chars("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
  token("age-pq", "AGE-SECRET", "-KEY-PQ-1", (d) => d.chars("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
  token(
    "jwt",
    "",
    "",
    (d) =>
      `${b64url({ alg: "HS256", typ: "JWT" })}.${b64url({ sub: d.chars(DIGIT, 8), iat: d.int(1e9, 2e9) })}.${d.chars(WEB, 43)}`,
  ),
  token("azure-client-secret", "", "", (d) => `${d.chars(ALNUM, 3)}8Q~${d.chars(WEB, 34)}`, "AZURE_CLIENT_SECRET"),
  token("terraform", "", "", (d) => `${d.chars(ALNUM, 14)}.${["atlas", "v1"].join("")}.${d.chars(ALNUM, 67)}`),
  named("aws-secret", ["AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", "secretAccessKey"], (d) => d.chars(B64, 40)),
  named("datadog", ["DD_API_KEY", "DATADOG_API_KEY"], (d) => d.chars(HEX, 32)),
  named("twilio-token", ["TWILIO_AUTH_TOKEN"], (d) => d.chars(HEX, 32)),
  named("cloudflare", ["CLOUDFLARE_API_TOKEN", "CF_API_TOKEN"], (d) => d.chars(WEB, 40)),
  named("mistral", ["MISTRAL_API_KEY"], (d) => d.chars(ALNUM, 32)),
  named("cohere", ["COHERE_API_KEY"], (d) => d.chars(ALNUM, 40)),
  named("api-key", ["API_KEY", "apiKey", "acme_api_key", "x-api-key"], (d) => d.chars(ALNUM, d.int(20, 40))),
  named("hex-key", ["SECRET_KEY", "ENCRYPTION_KEY", "signing_key", "api_secret"], (d) =>
    d.chars(HEX, d.pick([32, 40, 64])),
  ),
  named("client-secret", ["client_secret", "CLIENT_SECRET", "clientSecret"], (d) => d.chars(WEB, d.int(24, 44))),
  named("auth-token", ["auth_token", "ACCESS_TOKEN", "refreshToken", "BOT_TOKEN"], (d) =>
    d.chars(ALNUM, d.int(24, 60)),
  ),
  named("password", ["password", "DB_PASSWORD", "smtp_password", "admin_passwd", "PGPASSWORD"], password),
  named("passphrase", ["passphrase", "KEY_PASSPHRASE"], password),
  named("uuid-key", ["api_key", "HEROKU_API_KEY", "client_secret"], uuid),
  ...[
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "PRIVATE KEY",
    "PGP PRIVATE KEY BLOCK",
  ].map(
    (label): SecretKind => ({
      id: `pem ${label}`,
      names: [],
      make: pem(label, label.startsWith("EC") ? 2 : 12),
      layouts: PEM_LAYOUTS,
    }),
  ),
  ...[
    ["postgres-url", "postgresql://app:@db.internal:5432/app?sslmode=require"],
    ["mysql-url", "mysql://root:@10.0.3.4:3306/shop"],
    ["mongo-url", "mongodb+srv://ana:@cluster0.ab12c.mongodb.net/prod?retryWrites=true"],
    ["redis-url", "redis://:@cache.internal:6379/0"],
    ["amqp-url", "amqps://worker:@mq.example.org/vhost"],
    ["https-userinfo", "https://deploy:@git.example.org/team/repo.git"],
    ["smtp-url", "smtps://mailer:@smtp.example.org:465"],
  ].map(
    ([id = "", url = ""]): SecretKind => ({
      id,
      names: [],
      make: urlPassword,
      layouts: [
        (secret) => `DATABASE_URL=${url.replace(":@", `:${secret}@`)}\n`,
        (secret) => JSON.stringify({ dsn: url.replace(":@", `:${secret}@`) }).replaceAll("/", "\\/"),
        (secret) => `connect to ${url.replace(":@", `:${secret}@`)}, then migrate`,
        (secret) => `u=${encodeURIComponent(url.replace(":@", `:${secret}@`))}\n`,
      ],
    }),
  ),
  {
    id: "bearer",
    names: [],
    make: (d) => d.chars(WEB, 40) + d.chars(DIGIT, 2),
    layouts: [
      (s) => `curl -H "Authorization: Bearer ${s}" https://a.example`,
      (s) => JSON.stringify({ headers: { Authorization: `Bearer ${s}` } }),
    ],
  },
  {
    id: "basic",
    names: [],
    make: (d) => Buffer.from(`ana:${d.chars(ALNUM, 14)}`).toString("base64"),
    layouts: [
      (s) => `Authorization: Basic ${s}\r\nHost: a\r\n`,
      (s) => JSON.stringify({ authorization: `Basic ${s}` }),
    ],
  },
  {
    id: "slack-webhook",
    names: [],
    make: (d) => `T${d.chars(UPPER + DIGIT, 8)}/B${d.chars(UPPER + DIGIT, 10)}/${d.chars(ALNUM, 24)}`,
    layouts: [
      (s) => `post to https://hooks.slack.com/services/${s} daily`,
      (s) => JSON.stringify({ url: `https://hooks.slack.com/services/${s}` }),
    ],
  },
  {
    id: "discord-webhook",
    names: [],
    make: (d) => d.chars(WEB, 68),
    layouts: [(s, d) => `https://discord.com/api/webhooks/${d.chars(DIGIT, 18)}/${s}`],
  },
  {
    id: "azure-storage",
    names: [],
    make: (d) => `${d.chars(B64, 86)}==`,
    layouts: [(s) => `DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=${s};EndpointSuffix=core.windows.net`],
  },
  {
    id: "azure-sas",
    names: [],
    make: (d) => `${d.chars(ALNUM, 43)}%3D`,
    layouts: [(s) => `https://a.blob.core.windows.net/c/b.txt?sv=2022-11-02&se=2024-06-01&sr=b&sp=r&sig=${s}`],
  },
  {
    id: "connection-string",
    names: [],
    make: password,
    layouts: [(s) => `Server=tcp:db,1433;Database=a;User ID=sa;Password=${s};Encrypt=true;`],
  },
  {
    id: "url-parameter",
    names: [],
    make: (d) => d.chars(ALNUM, 32),
    layouts: [
      (s) => `GET https://api.example.org/v2/items?access_token=${s}&page=2`,
      (s) => `see https://api.example.org/?api_key=${s}`,
    ],
  },
  { id: "npmrc", names: [], make: uuid, layouts: [(s) => `//registry.example.org/:_authToken=${s}\n`] },
  { id: "netrc", names: [], make: urlPassword, layouts: [(s) => `machine api.example.org login ana password ${s}\n`] },
  {
    id: "jwk",
    names: [],
    make: (d) => d.chars(WEB, 43),
    layouts: [(s, d) => JSON.stringify({ kty: "EC", crv: "P-256", x: d.chars(WEB, 43), y: d.chars(WEB, 43), d: s })],
  },
  {
    id: "wireguard",
    names: [],
    make: (d) => `${d.chars(B64, 43)}=`,
    layouts: [(s) => `[Interface]\nPrivateKey = ${s}\nAddress = 10.0.0.2/32\n`],
  },
  {
    id: "command-line",
    names: [],
    make: (d) => d.chars(ALNUM, 24),
    layouts: [
      (s) => `$ tool deploy --api-key ${s} --env prod`,
      (s) => `mysql -h db -u root -p${s} app < dump.sql`,
      (s) => `curl -u ana:${s} https://a.example`,
    ],
  },
  {
    id: "prose",
    names: [],
    make: password,
    layouts: [
      (s) => `The wifi password is ${s}\n`,
      (s) => `Login for staging: user ana, password: ${s}\n`,
      (s) => `**Password**: \`${s}\`\n`,
    ],
  },
];

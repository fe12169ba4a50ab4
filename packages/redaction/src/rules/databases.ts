import { isPlaceholder } from "../randomness.js";
import { isKeyLike } from "../rule-kinds.js";
import { isReference } from "../references.js";
import { type SecretRule, secretPattern } from "../secret-rule.js";

const DATABASES =
  "postgres(?:ql)?|mysqlx?|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|oracle|clickhouse|cockroachdb|cassandra|couchdb|neo4js?|bolt|libsql|snowflake|redshift|db2|memcached|kafka|nats|influxdb|elasticsearch|valkeys?|tidb|crate|vertica|presto|trino|ldaps?";
// A scheme may carry a driver (postgresql+asyncpg) or stand behind jdbc:.
const SCHEME_END = String.raw`(?:\+[\w.+-]{1,24})?`;
const USERINFO = String.raw`(?<user>[^\s:/?#@"'<>\`\\[\]]{0,200}):(?<secret>[^\s"'<>\`\\/]{1,256})@(?=[\w[{$%*.-])`;

/** Words that stand for a password in examples. */
const NO_PASSWORD =
  /^(?:x-oauth-basic|pass(?:word|wd)?|pwd|secret|pw|user(?:name)?|db_?pass(?:word)?|my-?password|token|x+|\.+|\*+)$/i;

function isPassword(password: string, text: string, from: number, end: number): boolean {
  if (isPlaceholder(password) || isReference(password) || NO_PASSWORD.test(password)) return false;
  const user = text.slice(text.indexOf("://", from) + 3, end - password.length - 1);
  return user !== password && !text.startsWith("sha256:", end + 1);
}

const DATABASE_URL: SecretRule = {
  id: "database_url",
  description: "passwords in the URLs of databases, queues and directories",
  keywords: ["://"],
  patterns: [secretPattern(String.raw`(?<=(?:${DATABASES})${SCHEME_END})://${USERINFO}`, "i")],
  reach: "keyword",
  check: (password, { text, from, end }) => isPassword(password, text, from, end),
  samples: {
    found: [
      "DATABASE_URL=postgres://app:«{alnum:15}7»@db.example.org:5432/app?sslmode=require",
      "mongodb+srv://ana:«{alnum:12}%40{alnum:3}»@cluster0.abcde.mongodb.net/test",
      'redis://:«{hex:32}»@cache:6379/0"',
      "postgresql+asyncpg://u:«p@ss{alnum:6}»@localhost/db",
      "jdbc:mysql://root:«hunter2»@10.0.0.4:3306/a",
      '{"url":"amqps://u:«{url:32}»@q.example.org/vhost"}',
    ],
    spared: [
      "postgres://user:password@localhost/db",
      "postgres://app:${DB_PASSWORD}@db/app",
      "postgres://app:<password>@db/app",
      "redis://localhost:6379/0",
      "postgres://postgres:postgres@localhost:5432/postgres",
      "mysql://{{ user }}:{{ password }}@host/db",
    ],
  },
};

const URL_PASSWORD: SecretRule = {
  id: "url_password",
  description: "passwords in other URLs",
  keywords: ["://"],
  patterns: [
    secretPattern(String.raw`(?<=(?<![A-Za-z0-9+.])(?!docker|oci)[A-Za-z][A-Za-z0-9+.-]{1,24})://${USERINFO}`),
  ],
  reach: "keyword",
  check: (password, { text, from, end }) => isPassword(password, text, from, end),
  samples: {
    found: [
      "git clone https://ana:«{alnum:20}»@git.example.org/a/b.git",
      "http_proxy=http://u:«s3cr{}et!»@proxy:3128",
      "ftp://ftp:«{alnum:9}7»@files.example.org/",
      "smtps://mailer%40example.org:«{alnum:16}»@smtp.example.org:465",
      "https://x-access-token:«{alnum:40}»@github.example.org/a/b",
    ],
    spared: [
      "https://example.org:8080/a@b",
      "https://user:password@example.org",
      "http://$USER:$PASS@proxy",
      "docker://image:v1.2@sha256:{hex:64}",
      "see https://example.org, 10:30@home",
    ],
  },
};

const URL_TOKEN: SecretRule = {
  id: "url_token",
  description: "tokens that stand for the user in URLs",
  keywords: ["://"],
  patterns: [
    secretPattern(
      String.raw`(?<=https?)://(?<secret>[A-Za-z0-9_-]{20,})(?::(?:x-oauth-basic)?)?@(?![\w.-]{0,80}(?:sentry|ingest|glitchtip))`,
      "i",
    ),
  ],
  reach: "keyword",
  check: isKeyLike,
  samples: {
    found: ["https://«{alnum:39}7»@git.example.org/a/b", "https://«{hex:40}»:x-oauth-basic@github.example.org/a"],
    spared: ["https://{hex:32}@o12345.ingest.sentry.io/42", "https://some-user-with-a-long-name@example.org/"],
  },
};

const NETRC: SecretRule = {
  id: "netrc_password",
  description: "passwords in .netrc and .pgpass files",
  keywords: ["login", ":5432:", ":6432:"],
  patterns: [
    secretPattern(
      String.raw`login\s{1,8}\S{1,100}\s{1,8}(?:account\s{1,8}\S{1,100}\s{1,8})?password\s{1,8}(?<secret>[^\s"']{2,255}[^\s"'),;\]}\`])`,
    ),
    secretPattern(String.raw`:[56]432:[^:\s]{1,64}:[^:\s]{1,64}:(?<secret>[^\s:"']{3,255}[^\s:"'),;\]}\`])`),
  ],
  reach: "keyword",
  generic: true,
  check: (password) => !isPlaceholder(password) && !isReference(password) && !NO_PASSWORD.test(password),
  samples: {
    found: [
      "machine api.example.org login ana password «{alnum:15}7»",
      "machine a\n  login b\n  password «hunter2»\n",
      "db.example.org:5432:app:ana:«{alnum:15}7»",
    ],
    spared: ["machine a login b password $PASSWORD", "login with a password that is long", "ports: 5432:5432"],
  },
};

/** Passwords and tokens in addresses. */
export const ADDRESS_RULES: readonly SecretRule[] = [DATABASE_URL, URL_PASSWORD, URL_TOKEN, NETRC];

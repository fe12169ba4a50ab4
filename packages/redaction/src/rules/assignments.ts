import { entropyOf, hasKeyRun, isPlaceholder, mixes, restlessness } from "../randomness.js";
import { isLocation, isReference } from "../references.js";
import type { Around, SecretRule } from "../secret-rule.js";
import { COMMAND_RULES } from "./commands.js";
import { charactersOf, IN_NAME, NAMED_PATTERNS, patternsAt } from "./named-patterns.js";

/** A variable of the environment: nothing in prose is written so. */
const VARIABLE = /(?:^|[^A-Za-z0-9])[A-Z][A-Z0-9]*_[A-Z0-9_]+$/;

/** Names of keys that only ever hold a secret; `key` alone is a word of databases, maps and keyboards. */
const SECRET_KEY =
  /(?:api|access|secret|private|encrypt(?:ion)?|decrypt(?:ion)?|sign(?:ing|ature)?|master|auth|service|account|admin|app(?:lication)?|consumer|licen[cs]e|deploy|write|read|ingest|client|webhook|shared|session|storage|subscription|integration|server|bot|root|rest|live|prod|test|hmac|jwt|cookie|fernet|aes|ssh|host|user|dev|team|org|project|search|management|publish|push|function|device|kms|django|flask|rails|base|hash|salt)[-_. ]?keys?$/i;
const NO_SECRET =
  /public|primary[-_]?key|foreign|sort[-_]?key|partition|cache[-_]?key|idempoten|dedup|routing[-_]?key|key[-_]?(?:id|name|path|file|type|size|length|board|word|code|ring|hash|fingerprint|stroke|alias|arn|usage|vault|value|map|set|prefix|version|frame|point|note)|token[-_]?(?:id|name|type|count|limit|usage|url|uri|endpoint|path|file|izer|expir|length|budget|address|ttl|s[-_])|max[-_]?tokens|(?<!(?:api|access|auth|refresh|bearer|session|secret|bot|user)[-_. ]?)tokens$|page[-_]?token|continuation|cursor|secret[-_]?(?:id|name|path|file|ref|arn|version|url|manager)|credentials?[-_]?(?:id|type|path|file|name|helper)|pass(?:word|wd|phrase)?[-_]?(?:hash|file|path|length|policy|field|reset|changed|updated|last|strength|hint|min|max|age|expir|encoder|command)|passport|passenger|passage|passive|passing|passed|bypass|compass|author(?:s|ed|_|$|ity|ization)|authent|auth[-_]?(?:url|uri|type|method|mode|domain|provider|endpoint|server|flow|scheme|scope|enabled|host)|oauth2?$|monkey|turkey|donkey|hockey|jockey|whiskey|hotkey|object[-_]?key|hash$/i;

/** `login: ana / pw …`: whose password it is stands before it, which prose about passwords does not say so. */
const ACCOUNT =
  /(?:^|[^A-Za-z0-9])(?:log[- ]?in|user(?:[-_ ]?name)?|account|acct|e-?mail|benutzer(?:name)?|konto)(?:[ \t]*[:=][ \t]*["'`*]{0,3}[\w.@+-]{2,64}["'`*]{0,3}[ \t]*(?:[/|,;+–—-]|\b(?:and|und|with|mit)\b)|[ \t]+["'`*]{0,3}[\w.@+-]{2,64}["'`*]{0,3}[ \t]*[/|])[ \t]*[*`_]{0,3}$/i;

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
  if (/^[ \t]+(?:--?[a-z]+[ \t=])?["'`]?$/.test(sign) && !isToldByBlank(value, name, kind, sign)) {
    if (kind !== "password" || value.length < 6 || !ACCOUNT.test(text.slice(Math.max(0, from - 96), from)))
      return false;
  }
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
  if (/\b(?:is|ist)\b/.test(sign) && value.length < 8) return false;
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

/** The value behind a name that says that it is secret: assignments in code, environments, YAML, JSON, URLs, tables, notes. */
const NAMED_SECRET: SecretRule = {
  id: "named_secret",
  description: "values of names like api_key, password, client_secret, auth_token",
  keywords: ["key", "token", "secret", "passw", "passphrase", "passcode", "pwd", "pw", "pass", "credential", "auth"],
  patterns: NAMED_PATTERNS,
  reach: "keyword",
  patternsAt,
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
      "pw «Xk9{}mP2v!8q»",
      "login: ana / pw «{alnum:9}7»",
      "Login: ana, password «{alnum:9}7»",
      "user: ana@example.org | password «{alnum:9}7»",
      "Das Passwort lautet: «{alnum:11}7»",
      "Das neue Passwort für das WLAN ist jetzt «{alnum:11}7».",
      "der Token von Acme ist «{alnum:31}7»",
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
      "login: ana / password required",
      "login: ana / password expires 2026-01-01",
      "user ana and password reset2fa flows",
      "the user menu, password reset2fa flows",
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
      "Das Passwort ist mindestens 12 Zeichen lang",
      "Das Passwort ist seit 2024-05-01 abgelaufen",
      "Der Token ist 30 Tage gültig",
      "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}EXAMPLEKEY",
    ],
  },
};

/** What only its name tells. They give way to every other rule. */
export const NAMED_RULES: readonly SecretRule[] = [...COMMAND_RULES, NAMED_SECRET];

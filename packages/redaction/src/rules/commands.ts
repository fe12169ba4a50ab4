import { entropyOf, isPlaceholder } from "../randomness.js";
import { isMeantItself, isReference } from "../references.js";
import { type SecretRule, secretPattern } from "../secret-rule.js";

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
  description: "secrets in the arguments of commands, and filled into forms",
  keywords: [
    ...["--", " -p", " -u", " -a", " -w", "-pass", "sshpass", "requirepass", "masterauth", "bindpw", "rootpw"],
    ...["convertto-securestring", "type=password", "type='password", 'type="password'],
  ],
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
    secretPattern(
      String.raw`type=["']?password["']?[^<>\n]{0,200}?[ \t]value=["'](?<secret>[^\s"'\`<>]{4,256})["']`,
      "i",
    ),
    secretPattern(
      String.raw`ConvertTo-SecureString[ \t]{1,4}(?:-String[ \t]{1,4})?["'](?<secret>[^\s"'\`<>]{4,256})["']`,
      "i",
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
  // Within a rule of dashes no option begins.
  patternsAt: (text, place) => (text[place] === "-" && text[place - 1] === "-" ? 0 : -1),
  check: (value) => isMeantItself(value) && entropyOf(value) >= 2.2 && (/[0-9]/.test(value) || /[^\w.:/-]/.test(value)),
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
      "ConvertTo-SecureString '«{alnum:11}7»' -AsPlainText -Force",
      '<input type="password" name="p" value="«{alnum:11}7»">',
    ],
    spared: [
      "mysql -u root -p app",
      "deploy --token $TOKEN1",
      "curl -u ana:$PASS1 https://example.org",
      "git log --author ana --token-file a1/b2",
      "mkdir -p src/a1",
      '<input type="password" placeholder="at least 8">',
    ],
  },
};

/** Secrets in what is typed into shells and databases. */
export const COMMAND_RULES: readonly SecretRule[] = [SQL_PASSWORD, CLI_SECRET];

import { isPlaceholder, looksRandom, mixes } from "../randomness.js";
import { ASSIGNED, type SecretRule, secretPattern } from "../secret-rule.js";

const KEY_ID = String.raw`(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}`;
// Without START: an underscore before a key id is no part of it.
const KEY_ID_START = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))`;
const SECRET = String.raw`(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])`;
const GAP = String.raw`[-_ .]{0,2}`;

export const AWS_ACCESS_KEY_ID: SecretRule = {
  id: "aws_access_key_id",
  description: "AWS access key ids",
  keywords: ["akia", "asia", "abia", "acca"],
  patterns: [secretPattern(String.raw`${KEY_ID_START}(?<secret>${KEY_ID})(?![A-Za-z0-9])`)],
  check: (id) => !isPlaceholder(id),
  samples: {
    found: [
      "aws_access_key_id = «AK{}IA{upper:16}»",
      "«AS{}IA{upper:15}2»,",
      "key_«AK{}IA{upper:15}3»_old",
      "«AK{}IAIOSFODNN7EXAMPLE»",
    ],
    spared: ["AK{}IAXXXXXXXXXXXXXXXX", "xAK{}IA{upper:16}", "SLOVAK{}IA{upper:16}X", "ASIA"],
  },
};

export const AWS_SECRET_KEY: SecretRule = {
  id: "aws_secret_key",
  description: "AWS secret access keys: forty characters after their name, or after their key id",
  keywords: ["aws", "secret", "akia", "asia"],
  patterns: [
    secretPattern(
      String.raw`(?:aws${GAP}(?:secret${GAP})?(?:access${GAP})?key|secret${GAP}access${GAP}key|aws${GAP}secret)${ASSIGNED}${SECRET}`,
      "i",
    ),
    secretPattern(String.raw`${KEY_ID_START}${KEY_ID}["'\\,;:|\s]{1,6}${SECRET}`),
  ],
  // Three kinds: a SHA-1 digest in hex has two.
  check: (key) => looksRandom(key, 3.5) && mixes(key, 3),
  samples: {
    found: [
      "aws_secret_access_key = «{base64:37}aB3»",
      'export AWS_SECRET_ACCESS_KEY="«{base64:37}aB3»"',
      '{"SecretAccessKey": "«{base64:37}aB3»"}',
      String.raw`{"env":"{\"aws_secret_key\": \"«{base64:37}aB3»\"}"}`,
      "AK{}IA{upper:16},«{base64:37}aB3»",
      "aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}EXAMPLEKEY»",
    ],
    spared: [
      "aws_secret_access_key = your-forty-characters-long-secret-key-00",
      "aws_key: {hex:40}",
      "aws_secret_access_key = {base64:60}",
      "commit {hex:40}",
      "{base64:37}aB3",
    ],
  },
};

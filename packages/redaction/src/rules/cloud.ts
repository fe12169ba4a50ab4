import { isPlaceholder, looksRandom, mixes } from "../randomness.js";
import { named, prefixed } from "../rule-kinds.js";
import { ASSIGNED, type SecretRule, secretPattern } from "../secret-rule.js";

const KEY_ID = String.raw`(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}`;
// Without START: an underscore before a key id is no part of it.
const KEY_ID_START = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))`;
const SECRET = String.raw`(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])`;
const GAP = String.raw`[-_ .]{0,2}`;

const AWS_ACCESS_KEY_ID: SecretRule = {
  id: "aws_access_key_id",
  description: "AWS access key ids",
  keywords: ["akia", "asia", "abia", "acca"],
  patterns: [secretPattern(String.raw`${KEY_ID_START}(?<secret>${KEY_ID})(?![A-Za-z0-9])`)],
  reach: "keyword",
  check: (id) => !isPlaceholder(id),
  samples: {
    found: ["aws_access_key_id = «AK{}IA{upper:16}»", "«AS{}IA{upper:15}2»,", "key_«AK{}IA{upper:15}3»_old"],
    spared: ["AK{}IAIOSFODNN7EXAMPLE", "AK{}IAXXXXXXXXXXXXXXXX", "xAK{}IA{upper:16}", "SLOVAK{}IA{upper:16}X", "ASIA"],
  },
};

const AWS_SECRET_KEY: SecretRule = {
  id: "aws_secret_key",
  description: "AWS secret access keys: forty characters after their name, or after their key id",
  keywords: ["aws", "secret", "akia", "asia"],
  patterns: [
    secretPattern(
      String.raw`(?:aws${GAP}(?:secret${GAP})?(?:access${GAP})?key|secret${GAP}access${GAP}key|aws${GAP}secret)(?:${ASSIGNED}|[ \t]{1,4}|[ \t]is[ \t]|["'\`]?[ \t]?[,|][ \t]?["'\`]?)${SECRET}`,
      "i",
    ),
    secretPattern(
      String.raw`${KEY_ID_START}${KEY_ID}["'\\,;:|/\s]{1,6}(?:(?:aws_)?secret(?:_access)?_?key["'\s:=]{1,6})?${SECRET}`,
    ),
  ],
  reach: "keyword",
  // Three kinds: a SHA-1 digest in hex has two.
  check: (key) => looksRandom(key, 3.5) && mixes(key, 3),
  samples: {
    found: [
      "aws_secret_access_key = «{base64:37}aB3»",
      'export AWS_SECRET_ACCESS_KEY="«{base64:37}aB3»"',
      '{"SecretAccessKey": "«{base64:37}aB3»"}',
      String.raw`{"env":"{\"aws_secret_key\": \"«{base64:37}aB3»\"}"}`,
      "AK{}IA{upper:16},«{base64:37}aB3»",
    ],
    spared: [
      "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}EXAMPLEKEY",
      "aws_secret_access_key = your-forty-characters-long-secret-key-00",
      "aws_key: {hex:40}",
      "aws_secret_access_key = {base64:60}",
      "commit {hex:40}",
      "{base64:37}aB3",
    ],
  },
};

const AWS_SESSION_TOKEN: SecretRule = {
  id: "aws_session_token",
  description: "AWS session tokens, by their name",
  keywords: ["session_token", "sessiontoken", "security_token", "security-token"],
  patterns: [
    secretPattern(
      String.raw`(?:session_?token|security[-_]token)(?:${ASSIGNED}|[ \t]{1,4})(?<secret>[A-Za-z0-9/+]{100,}={0,2})`,
      "i",
    ),
  ],
  reach: "keyword",
  check: (token) => looksRandom(token, 4),
  samples: {
    found: ["AWS_SESSION_TOKEN=«{base64:356}=»", '"SessionToken": "«IQoJb3JpZ2luX2VjE{}{base64:400}»"'],
    spared: ["AWS_SESSION_TOKEN=$TOKEN", "session_token: {hex:40}", "{base64:356}"],
  },
};

const AZURE_CLIENT_SECRET: SecretRule = {
  id: "azure_client_secret",
  description: "secrets of Microsoft Entra applications: a digit and Q~ behind three characters",
  keywords: ["q~"],
  patterns: [secretPattern(String.raw`(?<![\w.~-])(?<secret>[\w.~-]{3}[0-9]Q~[\w.~-]{31,34})(?![\w.~-])`)],
  reach: 16,
  check: (secret) => looksRandom(secret, 3.5),
  samples: {
    found: [
      "AZURE_CLIENT_SECRET=«{alnum:3}8Q~{alnum:34}»",
      '"secret": "«{alnum:3}7Q~{alnum:31}»"',
      "(«a~b8Q~{alnum:34}»)",
    ],
    spared: ["{alnum:3}8Q~{alnum:20}", "{alnum:9}8Q~{alnum:34}", "abc8Q~xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
  },
};

const AZURE_SHARED_KEY: SecretRule = {
  id: "azure_shared_key",
  description: "keys in Azure connection strings (storage, service bus, event hub, Cosmos DB, IoT)",
  keywords: ["accountkey", "sharedaccesskey", "account_key", "storage_key", "accesskey=", "cosmos"],
  patterns: [
    secretPattern(
      String.raw`(?:account_?key|shared_?access_?key|storage_(?:account_)?key|access_?key|cosmos[\w-]{0,16}key)${ASSIGNED}(?<secret>[A-Za-z0-9+/]{43,}={1,2})`,
      "i",
    ),
  ],
  reach: "keyword",
  check: (key) => looksRandom(key, 4),
  samples: {
    found: [
      "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=«{base64:86}==»;EndpointSuffix=core.windows.net",
      "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=«{base64:43}=»",
      'AZURE_STORAGE_KEY="«{base64:86}==»"',
      "AccountEndpoint=https://a.documents.azure.com:443/;AccountKey=«{base64:86}==»;",
    ],
    spared: [
      "AccountKey=<your key>",
      "AccountKey=$KEY;",
      "{base64:86}==",
      "SharedAccessKeyName=RootManageSharedAccessKey",
    ],
  },
};

const AZURE_SAS: SecretRule = {
  id: "azure_sas",
  description: "signatures of Azure shared access URLs and tokens",
  keywords: ["sig="],
  patterns: [secretPattern(String.raw`(?<=[?&;]|&amp;|\\u0026)sig=(?<secret>[A-Za-z0-9%+/_-]{40,}={0,2})`)],
  reach: "keyword",
  check: (signature) => looksRandom(signature, 3.5),
  samples: {
    found: [
      "https://a.blob.core.windows.net/c/b?sv=2022-11-02&sp=r&sig=«{alnum:43}%3D»",
      "SharedAccessSignature sr=a&sig=«{alnum:41}%2B%3D»&se=1700000000&skn=k",
      "https://prod-1.westeurope.logic.azure.com/workflows/1?sp=%2Ftriggers&sig=«{url:43}»",
    ],
    spared: ["?sig={alnum:8}", "&sig=$SIGNATURE", "the sig={alnum:43} of a file"],
  },
};

const SIGNED_URL: SecretRule = {
  id: "signed_url",
  description: "signatures of URLs that let whoever has them in: S3, CloudFront, Google Cloud Storage",
  keywords: ["x-amz-signature", "x-goog-signature", "signature="],
  patterns: [
    secretPattern(String.raw`X-(?:Amz|Goog)-Signature(?:=|%3D)(?<secret>[0-9a-f]{64,1024})(?![0-9a-z])`, "i"),
    secretPattern(String.raw`(?<=[?&;]|&amp;|\u0026)Signature=(?<secret>[A-Za-z0-9%/+~_-]{27,512}={0,2})`),
  ],
  reach: "keyword",
  check: (signature) => looksRandom(signature, 3),
  samples: {
    found: [
      "https://b.s3.amazonaws.com/k?X-Amz-Date=20240101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=«{hex:64}»",
      "https://storage.googleapis.com/b/o?X-Goog-Expires=900&X-Goog-Signature=«{hex:512}»",
      "https://d1.cloudfront.net/a?Expires=1700000000&Signature=«{alnum:20}~{alnum:60}__»&Key-Pair-Id=K1",
      "https://b.s3.amazonaws.com/k?AWSAccessKeyId=x&Expires=1700000000&Signature=«{alnum:26}%3D»",
    ],
    spared: ["X-Amz-Signature=${SIGNATURE}", "signature={hex:64}", "?Signature=v4", "X-Amz-Content-Sha256: {hex:64}"],
  },
};

const url = (length: number) => String.raw`[\w-]{${length},}`;

/** Keys of the large clouds. */
export const CLOUD_RULES: readonly SecretRule[] = [
  AWS_ACCESS_KEY_ID,
  AWS_SECRET_KEY,
  AWS_SESSION_TOKEN,
  prefixed({
    id: "aws_bedrock_key",
    description: "Amazon Bedrock API keys",
    prefixes: ["ABSK"],
    body: "[A-Za-z0-9+/]{80,}={0,2}",
    sample: "{base64:128}",
    spared: ["ABSK{}short"],
  }),
  AZURE_CLIENT_SECRET,
  AZURE_SHARED_KEY,
  AZURE_SAS,
  SIGNED_URL,
  named({
    id: "azure_devops_token",
    description: "Azure DevOps personal access tokens",
    names: ["azure_devops", "azure devops", "azuredevops", "azdo", "ado_", "vsts"],
    value: "[a-z0-9]{52}|[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
    sample: "{lower:51}7",
  }),
  prefixed({
    id: "google_oauth_secret",
    description: "secrets of Google OAuth clients",
    prefixes: ["GOCSPX-"],
    body: url(24),
    sample: "{url:28}",
  }),
  prefixed({
    id: "google_oauth_token",
    description: "Google OAuth access tokens",
    prefixes: ["ya29."],
    body: String.raw`[\w.-]{30,}`,
    sample: "a0A{url:160}7",
  }),
  prefixed({
    id: "google_refresh_token",
    description: "Google OAuth refresh tokens",
    prefixes: ["1//0"],
    body: url(40),
    sample: "3{url:96}",
  }),
];

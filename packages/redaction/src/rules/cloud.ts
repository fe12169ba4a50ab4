import { isPlaceholder, looksRandom, mixes } from "../randomness.js";
import { isReal, named, prefixed } from "../rule-kinds.js";
import { ASSIGNED, type SecretRule, secretPattern, START } from "../secret-rule.js";

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
    found: [
      "aws_access_key_id = «AK{}IA{upper:16}»",
      "«AS{}IA{upper:15}2»,",
      "key_«AK{}IA{upper:15}3»_old",
      "«AK{}IAIOSFODNN7EXAMPLE»",
    ],
    spared: ["AK{}IAXXXXXXXXXXXXXXXX", "xAK{}IA{upper:16}", "SLOVAK{}IA{upper:16}X", "ASIA"],
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

const TERRAFORM_TOKEN: SecretRule = {
  id: "terraform_token",
  description: "HCP Terraform tokens",
  keywords: [".atlasv1."],
  patterns: [secretPattern(String.raw`${START}(?<secret>[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70})`)],
  reach: 20,
  check: isReal,
  samples: {
    found: ['token = "«{alnum:14}.atlas{}v1.{url:67}»"', "TF_TOKEN=«{alnum:14}.atlas{}v1.{alnum:64}»"],
    spared: ["a.atlas{}v1.{url:67}", "{alnum:14}.atlas{}v1.short"],
  },
};

const hex = (length: number) => `[a-f0-9]{${length},}(?![A-Za-z0-9])`;
const url = (length: number) => String.raw`[\w-]{${length},}`;

/** Keys of clouds, hosting and infrastructure. */
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
  prefixed({
    id: "digitalocean_token",
    description: "DigitalOcean personal, OAuth and refresh tokens",
    prefixes: ["dop_v1_", "doo_v1_", "dor_v1_"],
    body: hex(64),
    sample: "{hex:64}",
  }),
  prefixed({
    id: "alibaba_key_id",
    description: "Alibaba Cloud access key ids",
    prefixes: ["LTAI"],
    body: "[A-Za-z0-9]{12,26}(?![A-Za-z0-9])",
    sample: "5t{alnum:18}",
  }),
  named({
    id: "alibaba_secret_key",
    description: "Alibaba Cloud access key secrets",
    names: ["alibaba", "aliyun", "alicloud", "accesskeysecret", "access_key_secret"],
    value: "[A-Za-z0-9]{30}",
    sample: "{alnum:29}7",
  }),
  prefixed({
    id: "tencent_key_id",
    description: "Tencent Cloud secret ids",
    prefixes: ["AKID"],
    body: "[A-Za-z0-9]{32}(?![A-Za-z0-9])",
    sample: "{alnum:32}",
  }),
  prefixed({
    id: "yandex_key",
    description: "Yandex Cloud API keys",
    prefixes: ["AQVN"],
    body: url(30),
    sample: "{url:36}",
  }),
  prefixed({
    id: "heroku_token",
    description: "Heroku tokens",
    prefixes: ["HRKU-"],
    body: url(36),
    sample: "AA{url:58}",
  }),
  prefixed({
    id: "cloudflare_token",
    description: "Cloudflare keys and tokens that carry a prefix",
    prefixes: ["cfk_", "cfut_", "cfat_"],
    body: "[A-Za-z0-9]{40,}",
    sample: "{alnum:48}",
  }),
  named({
    id: "cloudflare_legacy_token",
    description: "Cloudflare tokens and global keys",
    names: ["cloudflare", "cf_api", "cf_token"],
    value: String.raw`[A-Za-z0-9_-]{40}|[a-f0-9]{37}`,
    sample: "{alnum:39}7",
  }),
  prefixed({
    id: "cloudflare_origin_key",
    description: "Cloudflare origin CA keys",
    prefixes: ["v1.0-"],
    body: "[a-f0-9]{24}-[a-f0-9]{100,}",
    sample: "{hex:24}-{hex:146}",
  }),
  prefixed({
    id: "fly_token",
    description: "Fly.io tokens",
    prefixes: ["fm1r_", "fm1a_", "fm2_", "fo1_"],
    body: "[A-Za-z0-9+/_-]{40,}={0,3}",
    sample: "{alnum:99}7",
  }),
  prefixed({
    id: "vercel_token",
    description: "Vercel tokens that carry a prefix",
    prefixes: ["vcp_", "vci_", "vca_", "vcr_", "vck_"],
    body: "[A-Za-z0-9]{24,}",
    sample: "{alnum:56}",
  }),
  named({
    id: "vercel_legacy_token",
    description: "Vercel tokens",
    names: ["vercel"],
    value: "[A-Za-z0-9]{24}",
    sample: "{alnum:23}7",
  }),
  prefixed({
    id: "netlify_token",
    description: "Netlify tokens",
    prefixes: ["nfp_", "nfc_", "nfo_", "nfb_"],
    body: "[A-Za-z0-9]{32,}",
    sample: "{alnum:36}",
  }),
  prefixed({
    id: "render_key",
    description: "Render keys",
    prefixes: ["rnd_"],
    body: "[A-Za-z0-9]{24,}",
    sample: "{alnum:28}",
  }),
  prefixed({
    id: "supabase_key",
    description: "Supabase access tokens and secret keys",
    prefixes: ["sbp_", "sb_secret_"],
    body: url(24),
    sample: "{hex:40}",
    spared: ["sb_publishable_{url:31}"],
  }),
  prefixed({
    id: "planetscale_token",
    description: "PlanetScale tokens and passwords",
    prefixes: ["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
    body: String.raw`[\w.=-]{32,}`,
    sample: "{url:43}",
  }),
  prefixed({
    id: "neon_key",
    description: "Neon API keys",
    prefixes: ["napi_"],
    body: "[a-z0-9]{40,}",
    sample: "{lower:64}",
  }),
  prefixed({
    id: "vault_token",
    description: "HashiCorp Vault service, batch and recovery tokens",
    prefixes: ["hvs.", "hvb.", "hvr."],
    body: url(24),
    sample: "CAES{url:90}",
  }),
  TERRAFORM_TOKEN,
  prefixed({ id: "pulumi_token", description: "Pulumi tokens", prefixes: ["pul-"], body: hex(40), sample: "{hex:40}" }),
  prefixed({
    id: "doppler_token",
    description: "Doppler tokens",
    prefixes: ["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
    body: String.raw`(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}`,
    sample: "{alnum:43}",
  }),
  prefixed({
    id: "tailscale_key",
    description: "Tailscale keys",
    prefixes: ["tskey-"],
    body: "(?:[a-z]+-)?[A-Za-z0-9]{8,}-[A-Za-z0-9]{20,}|[A-Za-z0-9]{16,}",
    sample: "auth-k{alnum:11}CNTRL-{alnum:32}",
  }),
  named({
    id: "linode_token",
    description: "Linode tokens",
    names: ["linode"],
    value: "[a-f0-9]{64}",
    sample: "{hex:64}",
  }),
  named({
    id: "hetzner_token",
    description: "Hetzner Cloud tokens",
    names: ["hetzner", "hcloud"],
    value: "[A-Za-z0-9]{64}",
    sample: "{alnum:63}7",
  }),
  named({
    id: "scaleway_key",
    description: "Scaleway secret keys",
    names: ["scaleway", "scw_"],
    value: "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
    sample: "{uuid}",
  }),
  prefixed({
    id: "onepassword_token",
    description: "1Password service account tokens",
    prefixes: ["ops_eyJ"],
    body: String.raw`[\w=-]{200,}`,
    sample: "{url:300}7",
  }),
  prefixed({
    id: "onepassword_secret_key",
    description: "1Password account secret keys",
    prefixes: ["A3-"],
    body: "[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}(?![A-Z0-9])",
    sample: "{capital:6}-{capital:6}-{capital:5}-{capital:5}-{capital:5}-{capital:4}7",
    check: (body) => isReal(body) && /[0-9]/.test(body),
  }),
];

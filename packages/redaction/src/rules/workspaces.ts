import { looksRandom } from "../randomness.js";
import { named, prefixed } from "../rule-kinds.js";
import { type SecretRule, secretPattern } from "../secret-rule.js";

const hex = (length: number) => `[a-f0-9]{${length},}(?![A-Za-z0-9])`;
const url = (length: number) => String.raw`[\w-]{${length},}`;
const alnum = (length: number) => `[A-Za-z0-9]{${length},}`;

const ASANA_TOKEN: SecretRule = {
  id: "asana_access_token",
  description: "Asana tokens of the forms that tell themselves: a number, the user's, perhaps the app's, a digest",
  keywords: ["1/", "2/"],
  patterns: [
    secretPattern(String.raw`(?<![\w/.-])(?<secret>[12]/[0-9]{13,20}(?:/[0-9]{13,20})?:[a-f0-9]{32})(?![\w-])`),
  ],
  reach: "keyword",
  check: (token) => looksRandom(token, 2.5),
  samples: {
    found: [
      "ASANA_PAT=«2/{digit:16}/{digit:16}:{hex:32}»",
      "it is «1/{digit:16}:{hex:32}», of May",
      '{"token":"«2/{digit:16}/{digit:16}:{hex:32}»"}',
    ],
    spared: ["2/3 of {digit:16}", "a/2/{digit:16}:{hex:32}", "page 1/{digit:16}", "2/{digit:16}:{hex:40}"],
  },
};

/** Tokens of where teams write things down, of social networks and of other services. */
export const WORKSPACE_RULES: readonly SecretRule[] = [
  prefixed({
    id: "linear_key",
    description: "Linear keys",
    prefixes: ["lin_api_", "lin_oauth_", "lin_wh_"],
    body: alnum(32),
    sample: "{alnum:40}",
  }),
  prefixed({
    id: "notion_token",
    description: "Notion tokens",
    prefixes: ["ntn_", "secret_"],
    body: "[A-Za-z0-9]{40,}",
    sample: "{alnum:46}",
  }),
  prefixed({
    id: "figma_token",
    description: "Figma tokens",
    prefixes: ["figd_", "figo_"],
    body: url(36),
    sample: "{url:40}",
  }),
  prefixed({
    id: "airtable_token",
    description: "Airtable personal access tokens",
    prefixes: ["pat"],
    body: String.raw`[A-Za-z0-9]{14}\.[a-f0-9]{64}`,
    sample: "{alnum:14}.{hex:64}",
  }),
  prefixed({
    id: "clickup_token",
    description: "ClickUp tokens",
    prefixes: ["pk_"],
    body: "[0-9]{5,10}_[A-Z0-9]{32}",
    sample: "{digit:8}_{capital:32}",
  }),
  named({
    id: "asana_token",
    description: "Asana tokens",
    names: ["asana"],
    value: String.raw`[a-f0-9]{32}`,
    sample: "{hex:32}",
  }),
  ASANA_TOKEN,
  named({
    id: "trello_token",
    description: "Trello keys and tokens",
    names: ["trello"],
    value: "ATTA[A-Za-z0-9]{60,76}|[a-f0-9]{64}|[a-f0-9]{32}",
    sample: "{hex:64}",
  }),
  prefixed({
    id: "contentful_token",
    description: "Contentful management tokens",
    prefixes: ["CFPAT-"],
    body: url(36),
    sample: "{url:43}",
  }),
  prefixed({
    id: "typeform_token",
    description: "Typeform tokens",
    prefixes: ["tfp_"],
    body: String.raw`[\w.=-]{40,}`,
    sample: "{url:43}_{alnum:14}7",
  }),
  prefixed({
    id: "hubspot_token",
    description: "HubSpot private app tokens",
    prefixes: ["pat-na", "pat-eu", "pat-ap"],
    body: "[0-9]-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
    sample: "1-{uuid}",
  }),
  prefixed({
    id: "readme_key",
    description: "ReadMe keys",
    prefixes: ["rdme_"],
    body: alnum(60),
    sample: "{lower:70}",
  }),
  prefixed({
    id: "dropbox_token",
    description: "Dropbox access tokens",
    prefixes: ["sl."],
    body: url(100),
    sample: "B{url:135}7",
  }),
  prefixed({
    id: "facebook_token",
    description: "Facebook and Instagram access tokens",
    prefixes: ["EAA", "IGQV"],
    body: alnum(80),
    sample: "{alnum:180}",
  }),
  prefixed({
    id: "twitter_bearer",
    description: "bearer tokens of Twitter and X applications",
    prefixes: ["AAAAAAAAAAAAAAAAAAAAA"],
    body: "[A-Za-z0-9%]{60,}",
    sample: "{alnum:20}%3D{alnum:60}",
  }),
  prefixed({
    id: "mapbox_token",
    description: "Mapbox secret tokens; the public ones are spared",
    prefixes: ["sk.eyJ"],
    body: String.raw`[\w-]{40,}\.[\w-]{20,}`,
    sample: "{alnum:80}.{alnum:22}",
    spared: ["pk.eyJ{alnum:80}.{alnum:22}"],
  }),
  named({
    id: "social_secret",
    description: "secrets of Twitter, X, LinkedIn, Reddit and Spotify applications",
    names: ["twitter", "linkedin", "reddit", "spotify"],
    value: "[A-Za-z0-9_-]{27,50}",
    sample: "{alnum:44}7",
  }),
  named({
    id: "okta_token",
    description: "Okta tokens",
    names: ["okta", "ssws"],
    value: String.raw`00[\w-]{40}`,
    sample: "00{url:40}",
  }),
  named({
    id: "algolia_key",
    description: "Algolia keys",
    names: ["algolia"],
    value: "[a-f0-9]{32}",
    sample: "{hex:32}",
  }),
  prefixed({
    id: "frameio_token",
    description: "Frame.io tokens",
    prefixes: ["fio-u-"],
    body: url(60),
    sample: "{url:64}",
  }),
  prefixed({
    id: "launchdarkly_key",
    description: "LaunchDarkly SDK and API keys",
    prefixes: ["sdk-", "api-"],
    body: "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}(?![A-Za-z0-9-])",
    sample: "{uuid}",
  }),
  prefixed({
    id: "scalingo_token",
    description: "Scalingo tokens",
    prefixes: ["tk-us-"],
    body: url(40),
    sample: "{url:48}",
  }),
  prefixed({
    id: "mailgun_legacy_key",
    description: "Mailgun keys of the older form",
    prefixes: ["key-"],
    body: hex(32),
    sample: "{hex:32}",
  }),
];

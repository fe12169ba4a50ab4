import { isPlaceholder, looksRandom } from "../randomness.js";
import { isReal, named, prefixed } from "../rule-kinds.js";
import { type SecretRule, secretPattern, START } from "../secret-rule.js";

const SLACK_TOKEN: SecretRule = {
  id: "slack_token",
  description: "Slack bot, user, app, refresh and configuration tokens",
  keywords: ["xox", "xapp-"],
  patterns: [
    secretPattern(String.raw`${START}(?<secret>(?:xoxe\.)?xox[a-z]-[A-Za-z0-9%-]{20,})`),
    secretPattern(String.raw`${START}(?<secret>xapp-[A-Za-z0-9-]{24,})`),
  ],
  reach: "keyword",
  check: (token) => looksRandom(token) && (/[0-9]{4}/.test(token) || /^xox[cd]-[A-Za-z0-9%-]{60,}$/.test(token)),
  samples: {
    found: [
      "SLACK_BOT_TOKEN=«xox{}b-{digit:12}-{digit:13}-{alnum:24}»",
      "«xox{}p-{digit:12}-{digit:12}-{digit:13}-{hex:32}»",
      "«xapp{}-1-A{upper:10}-{digit:13}-{hex:64}»",
      "«xox{}b-123456789012-1234567890123-abcdefghijklmnopqrstuvwx»",
      "«xoxe.xox{}p-1-{digit:8}{alnum:140}»",
      String.raw`{"t":"\n«xox{}s-{digit:12}-{digit:12}-{digit:13}-{hex:32}»"}`,
    ],
    spared: [
      "xox{}b-your-token-goes-here-please",
      "xox{}b-xxxxxxxxxxxx-xxxxxxxxxxxx-xxxxxxxxxxxxxxxxxxxxxxxx",
      "foxox{}b-{digit:12}-{digit:13}-{alnum:24}",
      "xapp{}-is-the-name-of-our-application-server",
    ],
  },
};

/** Addresses whose path lets anybody write; the whole path behind the host is the secret. */
const WEBHOOKS: readonly (readonly [id: string, description: string, keyword: string, path: string, sample: string])[] =
  [
    [
      "slack_webhook",
      "Slack incoming webhooks",
      "hooks.slack.com/",
      String.raw`(?:services|workflows|triggers)/[\w/-]{20,}`,
      "services/T{capital:8}/B{capital:10}/{alnum:24}",
    ],
    [
      "discord_webhook",
      "Discord webhooks",
      "discord.com/api/",
      String.raw`(?:v\d+/)?webhooks/\d{15,20}/[\w-]{60,}`,
      "webhooks/{digit:18}/{url:68}",
    ],
    [
      "discord_webhook_old",
      "Discord webhooks of the old host",
      "discordapp.com/api/",
      String.raw`(?:v\d+/)?webhooks/\d{15,20}/[\w-]{60,}`,
      "webhooks/{digit:18}/{url:68}",
    ],
    [
      "teams_webhook",
      "Microsoft Teams webhooks",
      ".webhook.office.com/",
      String.raw`webhookb2/[\w@-]{36,}/IncomingWebhook/[\w/-]{32,}`,
      "webhookb2/{uuid}@{uuid}/IncomingWebhook/{hex:32}/{uuid}",
    ],
    [
      "teams_webhook_old",
      "Microsoft Teams webhooks of the old host",
      "outlook.office.com/",
      String.raw`webhook/[\w@-]{36,}/IncomingWebhook/[\w/-]{32,}`,
      "webhook/{uuid}@{uuid}/IncomingWebhook/{hex:32}/{uuid}",
    ],
    [
      "zapier_webhook",
      "Zapier webhooks",
      "hooks.zapier.com/",
      String.raw`hooks/(?:catch|standard)/\d+/[\w/-]{6,}`,
      "hooks/catch/{digit:7}/{lower:7}/",
    ],
    ["make_webhook", "Make and Integromat webhooks", ".make.com/", String.raw`[a-z0-9]{30,}`, "{lower:32}"],
    [
      "feishu_webhook",
      "Feishu and Lark bots",
      "/open-apis/bot/",
      String.raw`(?:v\d/)?hook/[\w-]{32,}`,
      "v2/hook/{uuid}",
    ],
    [
      "ifttt_webhook",
      "IFTTT webhooks",
      "maker.ifttt.com/trigger/",
      String.raw`[\w-]+/(?:json/)?with/key/[\w-]{20,}`,
      "door_open/with/key/{alnum:22}",
    ],
  ];

function webhook([id, description, keyword, path, sample]: (typeof WEBHOOKS)[number]): SecretRule {
  const host = keyword.replaceAll(".", String.raw`\.`);
  return {
    id,
    description,
    keywords: [keyword],
    patterns: [secretPattern(String.raw`${host}(?<secret>${path})`, "i")],
    reach: "keyword",
    check: (found) => isReal(found) && looksRandom(found),
    samples: {
      found: [
        `curl -X POST https://a${keyword}«${sample}»`
          .replace("ahooks", "hooks")
          .replace("adisc", "disc")
          .replace("amaker", "maker"),
        `{"url":"https://x${keyword.startsWith(".") ? "" : "."}${keyword}«${sample}»"}`,
      ],
      spared: [
        `https://x.${keyword}`,
        `https://x.${keyword}docs/how-to`,
        `https://x.${keyword}services/xxxxxxxx/xxxxxxxx/xxxxxxxxxxxxxxxxxxxxxxxx`,
      ],
    },
  };
}

const GOOGLE_CHAT_WEBHOOK: SecretRule = {
  id: "google_chat_webhook",
  description: "keys and tokens of Google Chat webhooks",
  keywords: ["chat.googleapis.com/"],
  patterns: [
    secretPattern(
      String.raw`chat\.googleapis\.com/v1/spaces/[\w-]{4,40}/messages\?(?<secret>key=[\w-]{20,60}(?:&|%26|&amp;|\\u0026)token=[\w%=-]{20,})`,
    ),
  ],
  reach: "keyword",
  check: isReal,
  samples: {
    found: [
      "https://chat.googleapis.com/v1/spaces/AAAA{alnum:7}/messages?«key=AIza{}Sy{url:33}&token={url:43}%3D»",
      '"https://chat.googleapis.com/v1/spaces/AAAA{alnum:7}/messages?«key=AIza{}Sy{url:33}&token={url:43}»"',
    ],
    spared: [
      "https://chat.googleapis.com/v1/spaces/AAAA/messages",
      "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=K&token=T",
    ],
  },
};

const DISCORD_TOKEN: SecretRule = {
  id: "discord_token",
  description: "Discord bot tokens: an id in base64, a time, a signature",
  keywords: ["discord", "bot", "mt", "nd", "nz", "od", "ot"],
  patterns: [
    secretPattern(
      String.raw`${START}(?<secret>(?:mfa\.[\w-]{80,}|[MNO][A-Za-z0-9_-]{23,27}\.[\w-]{6}\.[\w-]{27,40}))(?![\w.-])`,
    ),
  ],
  reach: "keyword",
  check: (token) => looksRandom(token, 3.5) && /^[MNO][TDz]|^mfa/.test(token),
  samples: {
    found: [
      "DISCORD_TOKEN=«MT{}I{digit:1}{alnum:20}.G{alnum:5}.{url:38}»",
      '"«OD{}k{digit:1}{alnum:20}.{alnum:6}.{url:27}»"',
      "bot «Nz{}k{digit:1}{alnum:20}.{alnum:6}.{url:38}»",
    ],
    spared: ["MT{}I{alnum:21}.short.{url:38}", "My.Namespace.ClassName", "Modules.within.TheNamespaceOfSomething"],
  },
};

const TELEGRAM_TOKEN: SecretRule = {
  id: "telegram_token",
  description: "Telegram bot tokens",
  keywords: [":aa"],
  patterns: [secretPattern(String.raw`(?<![A-Za-z0-9_]|\d[.:])(?:bot)?(?<secret>\d{8,10}:AA[\w-]{32,34})(?![\w-])`)],
  reach: 16,
  check: (token) => looksRandom(token, 3.5),
  samples: {
    found: [
      "TELEGRAM_TOKEN=«{digit:10}:AA{}{url:33}»",
      "https://api.telegram.org/bot«{digit:9}:AA{}{url:33}»/getMe",
      '"«{digit:10}:AA{}{alnum:33}»"',
    ],
    spared: ["12:AA{}{url:33}", "{digit:10}:AA{}short", "at 10:32:AA"],
  },
};

const hex = (length: number) => `[a-f0-9]{${length},}(?![A-Za-z0-9])`;
const url = (length: number) => String.raw`[\w-]{${length},}`;
const alnum = (length: number) => `[A-Za-z0-9]{${length},}`;

/** Tokens of chats, and of where teams write things down. */
export const COLLABORATION_RULES: readonly SecretRule[] = [
  SLACK_TOKEN,
  ...WEBHOOKS.map((kind) => webhook(kind)),
  GOOGLE_CHAT_WEBHOOK,
  DISCORD_TOKEN,
  TELEGRAM_TOKEN,
  prefixed({
    id: "matrix_token",
    description: "Matrix access tokens",
    prefixes: ["syt_"],
    body: String.raw`[A-Za-z0-9+/=_]{2,60}_[A-Za-z]{16,24}_[A-Za-z0-9]{6}`,
    sample: "YWxpY2U_{letter:20}_{alnum:6}",
    check: (body) => !isPlaceholder(body),
  }),
  named({
    id: "twitch_token",
    description: "Twitch tokens and secrets",
    names: ["twitch"],
    value: "(?:oauth:)?[a-z0-9]{30}",
    sample: "{lower:29}7",
  }),
  named({
    id: "mattermost_token",
    description: "Mattermost tokens",
    names: ["mattermost"],
    value: "[a-z0-9]{26}",
    sample: "{lower:25}7",
  }),
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
    value: String.raw`[0-9]/[0-9]{14,20}(?:/[0-9]{14,20})?:[a-f0-9]{32}|[a-f0-9]{32}`,
    sample: "2/{digit:16}/{digit:16}:{hex:32}",
  }),
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

import { isPlaceholder, looksRandom } from "../randomness.js";
import { isReal, mayStart, named, prefixed } from "../rule-kinds.js";
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
  keywords: ["mfa.", "mt", "nd", "nz", "od", "ot"],
  patternsAt: (text, place) =>
    mayStart(text, place) && /^(?:[MNO][TDz]|mfa)/.test(text.slice(place, place + 3)) ? 1 : 0,
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
  patterns: [
    secretPattern(
      String.raw`(?:(?<![A-Za-z0-9_]|\d[.:])|(?<=(?<!\w)_{1,2})|(?<=\u001b\[[0-9;]{0,8}m))(?:bot)?(?<secret>\d{8,10}:AA[\w-]{32,34})(?![A-Za-z0-9-])`,
    ),
  ],
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

/** Tokens and webhooks of chats. */
export const CHAT_RULES: readonly SecretRule[] = [
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
];

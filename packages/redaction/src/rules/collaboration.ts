import { isPlaceholder, looksRandom } from "../randomness.js";
import { type SecretRule, secretPattern, START } from "../secret-rule.js";

export const GITHUB_TOKEN: SecretRule = {
  id: "github_token",
  description: "GitHub personal, OAuth, user, server, refresh and fine-grained tokens",
  keywords: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
  patterns: [
    secretPattern(String.raw`${START}(?<secret>gh[pousr]_[A-Za-z0-9]{36,})(?!\w)`),
    secretPattern(String.raw`${START}(?<secret>github_pat_\w{60,})`),
  ],
  check: (token) => !isPlaceholder(token) && (!token.startsWith("github_pat_") || looksRandom(token)),
  samples: {
    found: [
      "GITHUB_TOKEN=«gh{}p_{alnum:36}»",
      "https://user:«gh{}o_{alnum:36}»@github.com/a/b",
      "«gh{}u_{alnum:36}»",
      "(«gh{}s_{alnum:36}»)",
      "«gh{}p_abcdefghijklmnopqrstuvwxyz0123456789»",
      "refresh: «gh{}r_{alnum:76}»",
      "«github_{}pat_{alnum:22}_{alnum:59}»",
      String.raw`"a\n«gh{}p_{alnum:36}»\n"`,
    ],
    spared: [
      "gh{}p_short",
      "gh{}p_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "a_gh{}p_{alnum:36}",
      "the function ghs_{}parse_header_of_the_incoming_request_line",
      "github_{}pat_your_token_here_your_token_here_your_token_here_your_token_here",
    ],
  },
};

export const SLACK_TOKEN: SecretRule = {
  id: "slack_token",
  description: "Slack bot, user, app, refresh and configuration tokens",
  keywords: ["xox", "xapp-"],
  patterns: [
    secretPattern(String.raw`${START}(?<secret>(?:xoxe\.)?xox[a-z]-[A-Za-z0-9-]{20,})`),
    secretPattern(String.raw`${START}(?<secret>xapp-[A-Za-z0-9-]{24,})`),
  ],
  check: (token) => looksRandom(token) && /[0-9]{4}/.test(token),
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

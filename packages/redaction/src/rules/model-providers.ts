import { hasKeyRun, isPlaceholder, looksRandom, mixes } from "../randomness.js";
import { type SecretRule, secretPattern, START } from "../secret-rule.js";

export const ANTHROPIC_KEY: SecretRule = {
  id: "anthropic_key",
  description: "Anthropic API, admin and OAuth keys",
  keywords: ["sk-ant-"],
  patterns: [secretPattern(String.raw`${START}(?<secret>sk-ant-[\w-]{20,})`)],
  check: (key) => !isPlaceholder(key) && isNoWords(key.slice("sk-ant-".length)),
  samples: {
    found: [
      "ANTHROPIC_API_KEY=«sk-{}ant-api03-{url:93}AA»",
      'x-api-key: "«sk-{}ant-admin01-{url:93}AA»"',
      String.raw`{"note":"line\n«sk-{}ant-oat01-{url:93}AA»\nnext"}`,
      "«sk-{}ant-api03-abcdefghijklmnopqrstuvwxyz0123456789»",
      "https://example.org/?k=%22«sk-{}ant-api03-{url:93}AA»",
    ],
    spared: [
      "sk-{}ant-api03-your-key-goes-here-and-must-not-be-shared",
      "sk-{}ant-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "a risk-{}ant-hill-and-how-to-keep-it-small-enough-to-live-with",
      "keys begin with sk-{}ant-",
    ],
  },
};

export const OPENAI_KEY: SecretRule = {
  id: "openai_key",
  description: "OpenAI keys, and those of providers that write theirs alike",
  keywords: ["sk-"],
  patterns: [
    secretPattern(String.raw`${START}(?<secret>sk-(?:proj|svcacct|admin|None|service)-[\w-]{20,})`),
    secretPattern(String.raw`${START}(?<secret>sk-(?:or-v1-|or-)?[A-Za-z0-9]{20,})(?![\w-])`),
  ],
  check: (key) => {
    const rest = key.replace(/^sk-(?:[A-Za-z]+-)?(?:v1-)?/, "");
    return (
      !isPlaceholder(key) && (key.slice("sk-".length) === rest ? looksRandom(rest) && mixes(rest, 2) : isNoWords(rest))
    );
  },
  samples: {
    found: [
      "OPENAI_API_KEY=«sk-{}{alnum:48}»",
      "key: «sk-{}proj-{url:74}T3BlbkFJ{url:74}»",
      "«sk-{}svcacct-{url:74}T3BlbkFJ{url:74}»",
      "«sk-{}abcdefghijklmnopqrstuvwxyz123456»",
      "«sk-{}proj-abc123def456ghi789jkl012»",
      "deepseek «sk-{}{hex:32}», openrouter",
      "«sk-{}or-v1-{hex:64}»",
      String.raw`{"a":"b\t«sk-{}{alnum:48}»"}`,
    ],
    spared: [
      "a risk-{}based approach, a task-{}{alnum:48}, disk-{}{hex:32}",
      "sk-{}learn-pipelines-for-feature-extraction-and-model-selection",
      "sk-{}proj-my-first-project-of-2024-with-a-very-long-name-indeed",
      "sk-{}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "sk-{}...",
    ],
  },
};

/** Words with hyphens between them have no capitals among small letters and digits, and no long run with a digit. */
function isNoWords(text: string): boolean {
  return mixes(text, 3) || hasKeyRun(text, 16);
}

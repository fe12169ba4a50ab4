import { looksRandom, mixes } from "../randomness.js";
import { type SecretRule, secretPattern, START } from "../secret-rule.js";

export const ANTHROPIC_KEY: SecretRule = {
  id: "anthropic_key",
  description: "Anthropic API, admin and OAuth keys",
  keywords: ["sk-ant-"],
  patterns: [secretPattern(String.raw`${START}(?<secret>sk-ant-[\w-]{32,})`)],
  check: (key) => looksRandom(key) && mixes(key.slice("sk-ant-".length), 3),
  samples: {
    found: [
      "ANTHROPIC_API_KEY=«sk-{}ant-api03-{url:93}AA»",
      'x-api-key: "«sk-{}ant-admin01-{url:93}AA»"',
      String.raw`{"note":"line\n«sk-{}ant-oat01-{url:93}AA»\nnext"}`,
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
    secretPattern(String.raw`${START}(?<secret>sk-(?:proj|svcacct|admin|None|service)-[\w-]{32,})`),
    secretPattern(String.raw`${START}(?<secret>sk-(?:or-v1-|or-)?[A-Za-z0-9]{32,})(?![\w-])`),
  ],
  check: (key) =>
    looksRandom(key) && mixes(key.replace(/^sk-[a-z]*-?(?:v1-)?/, ""), /^sk-[a-z]{4,}-/.test(key) ? 3 : 2),
  samples: {
    found: [
      "OPENAI_API_KEY=«sk-{}{alnum:48}»",
      "key: «sk-{}proj-{url:74}T3BlbkFJ{url:74}»",
      "«sk-{}svcacct-{url:74}T3BlbkFJ{url:74}»",
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

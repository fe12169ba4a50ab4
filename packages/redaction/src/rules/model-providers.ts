import { isNoWords, isPlaceholder, looksRandom, mixes } from "../randomness.js";
import { named, prefixed } from "../rule-kinds.js";
import { type SecretRule, secretPattern, START } from "../secret-rule.js";

const ANTHROPIC_KEY: SecretRule = {
  id: "anthropic_key",
  description: "Anthropic API, admin and OAuth keys",
  keywords: ["sk-ant-"],
  patterns: [secretPattern(String.raw`${START}(?<secret>sk-ant-[\w-]{20,})`)],
  reach: "keyword",
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

const OPENAI_KEY: SecretRule = {
  id: "openai_key",
  description: "OpenAI keys, and those of providers that write theirs alike",
  keywords: ["sk-"],
  patterns: [
    secretPattern(String.raw`${START}(?<secret>sk-(?:proj|svcacct|admin|None|service)-[\w-]{20,})`),
    secretPattern(String.raw`${START}(?<secret>sk-[A-Za-z0-9]{20,})(?![\w-])`),
  ],
  reach: "keyword",
  check: (key) => {
    const rest = key.replace(/^sk-(?:[A-Za-z]+-)?/, "");
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

const alnum = (length: number) => `[A-Za-z0-9]{${length},}`;
const url = (length: number) => String.raw`[\w-]{${length},}`;
const hex = (length: number) => `[a-f0-9]{${length},}(?![A-Za-z0-9])`;

/** Keys of those who run language models, and of what is built around them. */
export const MODEL_PROVIDER_RULES: readonly SecretRule[] = [
  ANTHROPIC_KEY,
  prefixed({
    id: "openrouter_key",
    description: "OpenRouter keys",
    prefixes: ["sk-or-"],
    body: `(?:v1-)?${alnum(20)}`,
    sample: "v1-{hex:64}",
  }),
  prefixed({
    id: "langfuse_key",
    description: "Langfuse secret keys; the public ones are spared",
    prefixes: ["sk-lf-"],
    body: url(30),
    sample: "{uuid}",
    spared: ["pk-lf-{uuid}"],
  }),
  OPENAI_KEY,
  prefixed({
    id: "google_api_key",
    description: "Google API keys (Gemini, Maps, Firebase)",
    prefixes: ["AIza"],
    body: url(33),
    sample: "Sy{url:33}",
  }),
  prefixed({
    id: "huggingface_token",
    description: "Hugging Face user and organisation tokens",
    prefixes: ["hf_", "api_org_"],
    body: alnum(30),
    sample: "{letter:34}",
  }),
  prefixed({ id: "groq_key", description: "Groq keys", prefixes: ["gsk_"], body: alnum(40), sample: "{alnum:52}" }),
  prefixed({ id: "xai_key", description: "xAI keys", prefixes: ["xai-"], body: alnum(60), sample: "{alnum:80}" }),
  prefixed({
    id: "perplexity_key",
    description: "Perplexity keys",
    prefixes: ["pplx-"],
    body: alnum(32),
    sample: "{alnum:48}",
  }),
  prefixed({
    id: "replicate_token",
    description: "Replicate tokens",
    prefixes: ["r8_"],
    body: alnum(30),
    sample: "{alnum:37}",
  }),
  prefixed({
    id: "fireworks_key",
    description: "Fireworks AI keys",
    prefixes: ["fw_", "fpk_"],
    body: alnum(20),
    sample: "{alnum:24}",
  }),
  prefixed({
    id: "together_key",
    description: "Together AI keys",
    prefixes: ["tgp_v1_"],
    body: url(30),
    sample: "{url:43}",
  }),
  prefixed({
    id: "langsmith_key",
    description: "LangSmith keys",
    prefixes: ["lsv2_pt_", "lsv2_sk_", "ls__"],
    body: `[a-f0-9]{32}(?:_[a-f0-9]{8,})?`,
    sample: "{hex:32}_{hex:10}",
  }),
  prefixed({
    id: "pinecone_key",
    description: "Pinecone keys",
    prefixes: ["pcsk_"],
    body: String.raw`\w{40,}`,
    sample: "{alnum:5}_{alnum:63}",
  }),
  prefixed({
    id: "elevenlabs_key",
    description: "ElevenLabs keys",
    prefixes: ["sk_"],
    body: hex(40),
    sample: "{hex:48}",
  }),
  prefixed({
    id: "nvidia_key",
    description: "NVIDIA API keys",
    prefixes: ["nvapi-"],
    body: url(50),
    sample: "{url:64}",
  }),
  prefixed({
    id: "cerebras_key",
    description: "Cerebras keys",
    prefixes: ["csk-"],
    body: alnum(40),
    sample: "{lower:48}",
  }),
  prefixed({
    id: "tavily_key",
    description: "Tavily keys",
    prefixes: ["tvly-"],
    body: url(24),
    sample: "dev-{alnum:32}",
  }),
  prefixed({
    id: "jina_key",
    description: "Jina AI keys",
    prefixes: ["jina_"],
    body: url(50),
    sample: "{hex:32}{url:28}",
  }),
  prefixed({ id: "voyage_key", description: "Voyage AI keys", prefixes: ["pa-"], body: url(40), sample: "{url:43}" }),
  prefixed({
    id: "wandb_key",
    description: "Weights & Biases keys",
    prefixes: ["wandb_v1_"],
    body: url(40),
    sample: "{url:77}",
  }),
  prefixed({
    id: "firecrawl_key",
    description: "Firecrawl keys",
    prefixes: ["fc-"],
    body: hex(32),
    sample: "{hex:32}",
  }),
  prefixed({ id: "e2b_key", description: "E2B keys", prefixes: ["e2b_"], body: hex(32), sample: "{hex:40}" }),
  prefixed({
    id: "apify_token",
    description: "Apify tokens",
    prefixes: ["apify_api_"],
    body: alnum(30),
    sample: "{alnum:36}",
  }),
  prefixed({
    id: "databricks_token",
    description: "Databricks tokens",
    prefixes: ["dapi"],
    body: `[a-f0-9]{32}(?:-[0-9])?(?![A-Za-z0-9])`,
    sample: "{hex:32}",
    spared: ["dapi{}{hex:64}"],
  }),
  named({
    id: "wandb_legacy_key",
    description: "Weights & Biases keys of forty hex digits",
    names: ["wandb"],
    value: "[a-f0-9]{40}",
    sample: "{hex:40}",
  }),
  named({
    id: "mistral_key",
    description: "Mistral keys",
    names: ["mistral"],
    value: "[A-Za-z0-9]{32}",
    sample: "{alnum:31}7",
  }),
  named({
    id: "cohere_key",
    description: "Cohere keys",
    names: ["cohere", "co_api"],
    value: "[A-Za-z0-9]{40}",
    sample: "{alnum:39}7",
  }),
  named({
    id: "deepgram_key",
    description: "Deepgram keys",
    names: ["deepgram"],
    value: "[a-f0-9]{40}",
    sample: "{hex:40}",
  }),
  named({
    id: "assemblyai_key",
    description: "AssemblyAI keys",
    names: ["assemblyai", "assembly_ai"],
    value: "[a-f0-9]{32}",
    sample: "{hex:32}",
  }),
  named({
    id: "azure_openai_key",
    description: "Azure OpenAI and Cognitive Services keys",
    names: ["azure_openai", "azure-openai", "azureopenai", "azure openai", "cognitive", "ocp-apim"],
    value: "[A-Za-z0-9]{84}|[a-f0-9]{32}",
    sample: "{alnum:83}7",
  }),
];

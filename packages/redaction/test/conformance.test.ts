import { fileURLToPath } from "node:url";
import { pluginConformance, redactionConformance, type RedactionSample, runConformance } from "@keepsake/testkit";
import { describe, it } from "vitest";
import { makeCorpus } from "./support/corpus.js";
import { DEFAULT_RULES, defaultPolicy, expandSample, redactionPlugin } from "../src/index.js";

const samples = DEFAULT_RULES.flatMap((rule): RedactionSample[] =>
  rule.samples.found.map((sample) => {
    const { text, secret } = expandSample(sample);
    return { text, secret: text.slice(secret?.start ?? 0, secret?.end ?? 0) };
  }),
);
// What one rule spares another may find: the texts of the corpus are clean for all of them.
const clean = makeCorpus(1, 1).survivors;

runConformance(redactionConformance({ create: () => ({ policy: defaultPolicy(), samples, clean }) }), { describe, it });

const rules = fileURLToPath(new URL("./fixtures/gitleaks.toml", import.meta.url));
const options = ({ name }: { readonly name: string }) => (name === "gitleaks" ? { file: rules } : {});
const module = fileURLToPath(new URL("../dist/plugin.js", import.meta.url));
runConformance(pluginConformance({ create: () => ({ plugin: redactionPlugin, module, options }) }), { describe, it });

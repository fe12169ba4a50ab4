import { fileURLToPath } from "node:url";
import { pluginConformance, redactionConformance, type RedactionSample, runConformance } from "@keepsake/testkit";
import { describe, it } from "vitest";
import { DEFAULT_RULES, defaultPolicy, expandSample, redactionPlugin } from "../src/index.js";

const samples = DEFAULT_RULES.flatMap((rule): RedactionSample[] =>
  rule.samples.found.map((sample) => {
    const { text, secret } = expandSample(sample);
    return { text, secret: text.slice(secret?.start ?? 0, secret?.end ?? 0) };
  }),
);
const clean = DEFAULT_RULES.flatMap((rule) => rule.samples.spared.map((sample) => expandSample(sample).text));

runConformance(redactionConformance({ create: () => ({ policy: defaultPolicy(), samples, clean }) }), { describe, it });

const module = fileURLToPath(new URL("../dist/plugin.js", import.meta.url));
runConformance(pluginConformance({ create: () => ({ plugin: redactionPlugin, module }) }), { describe, it });

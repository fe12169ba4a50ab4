import { fileURLToPath } from "node:url";
import { codecConformance, pluginConformance, runConformance } from "@keepsake/testkit";
import { describe, it } from "vitest";
import { age } from "../src/age.js";
import { generateIdentity } from "../src/keygen.js";
import plugin from "../src/plugin.js";

const [ana, ben] = [await generateIdentity(), await generateIdentity()];

runConformance(
  codecConformance({
    create: () => ({
      codec: age({ recipients: [ana.recipient], identities: [ana.identity] }),
      deterministic: false,
      others: { keyless: age({ recipients: [ana.recipient] }), stranger: age({ identities: [ben.identity] }) },
    }),
  }),
  { describe, it },
);

const module = fileURLToPath(new URL("../dist/plugin.js", import.meta.url));
runConformance(
  pluginConformance({ create: () => ({ plugin, module, options: () => ({ recipients: [ana.recipient] }) }) }),
  { describe, it },
);

import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { codecConformance, pluginConformance, runConformance } from "@keepsake/testkit";
import plugin, { myCodec } from "../src/index.js";

const module = fileURLToPath(new URL("../src/index.js", import.meta.url));

runConformance(
  [
    ...pluginConformance({ create: () => ({ plugin, module }) }),
    // `others` is for a codec that encrypts: the same without a key, and with a wrong one.
    ...codecConformance({ create: () => ({ codec: myCodec(), deterministic: true, others: null }) }),
  ],
  { describe, it },
);

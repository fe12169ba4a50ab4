import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { pluginConformance, redactionConformance, runConformance } from "@keepsake/testkit";
import plugin, { myRedaction } from "../src/index.js";
import { clean, samples } from "./conformance-options.js";

const module = fileURLToPath(new URL("../src/index.js", import.meta.url));

runConformance(
  [
    ...pluginConformance({ create: () => ({ plugin, module }) }),
    ...redactionConformance({ create: () => ({ policy: myRedaction(), samples, clean }) }),
  ],
  { describe, it },
);

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { pluginConformance, runConformance, sourceConformance } from "@keepsake/testkit";
import plugin, { mySource } from "../src/index.js";
import options, { live } from "./conformance-options.js";

const module = fileURLToPath(new URL("../src/index.js", import.meta.url));

runConformance(
  [
    ...pluginConformance({ create: () => ({ plugin, module, options: () => options["my-source"] }) }),
    ...sourceConformance({
      async create(dir) {
        const memory = join(dir, "memory");
        await mkdir(memory);
        return { source: mySource(options["my-source"]), memory, live: live({ dir }) };
      },
    }),
  ],
  { describe, it },
);

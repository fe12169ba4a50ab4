import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pluginConformance, runConformance, stateConformance } from "@keepsake/testkit";
import { describe, it } from "vitest";
import { jsonState, jsonStatePlugin } from "../src/index.js";

const keys = { cursor: "cursor.json", dream_run: "run/{tenant}/{agent}.json" };
const files: Readonly<Record<string, string>> = { cursor: "cursor.json", dream_run: "run/acme/ana.json" };

runConformance(
  stateConformance({
    create: (dir) => ({
      provider: jsonState({ keys, baseDir: dir }),
      async write(items) {
        await mkdir(join(dir, "run/acme"), { recursive: true });
        for (const { key, value } of items) await writeFile(join(dir, files[key] ?? ""), JSON.stringify(value));
      },
    }),
  }),
  { describe, it },
);

const module = fileURLToPath(new URL("../dist/plugin.js", import.meta.url));
runConformance(pluginConformance({ create: () => ({ plugin: jsonStatePlugin, module, options: () => ({ keys }) }) }), {
  describe,
  it,
});

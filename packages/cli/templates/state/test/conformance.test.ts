import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { pluginConformance, runConformance, stateConformance } from "@keepsake/testkit";
import plugin, { myState } from "../src/index.js";

const module = fileURLToPath(new URL("../src/index.js", import.meta.url));
const keys = ["cursor", "last_run"];

runConformance(
  [
    ...pluginConformance({ create: () => ({ plugin, module, options: () => ({ folder: "state", keys }) }) }),
    ...stateConformance({
      create(dir) {
        const folder = join(dir, "state");
        return {
          provider: myState({ folder, keys }),
          /** As the agent's own program does it, which knows nothing of Keepsake. */
          async write(items, { agent }) {
            const file = join(folder, `${agent.tenant}.${agent.agent}.json`);
            const before = await readFile(file, "utf8").catch(() => "{}");
            const values = Object.entries(JSON.parse(before) as Record<string, unknown>);
            const written = [...values, ...items.map(({ key, value }) => [key, value] as const)];
            await mkdir(folder, { recursive: true });
            await writeFile(file, JSON.stringify(Object.fromEntries(written)));
          },
        };
      },
    }),
  ],
  { describe, it },
);

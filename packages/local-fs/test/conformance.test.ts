import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lockConformance, pluginConformance, runConformance, storeConformance } from "@keepsake/testkit";
import { describe, it } from "vitest";
import { fileLocks, localFs } from "../src/index.js";
import plugin from "../src/plugin.js";

const program = new URL("fixtures/open.mjs", import.meta.url);

runConformance(
  storeConformance({
    create(dir) {
      const open = () => localFs({ root: join(dir, "store") });
      const root = join(dir, "store");
      return { store: open(), reopen: open, crash: { module: program, argument: { store: root }, within: dir } };
    },
  }),
  { describe, it },
);

runConformance(
  lockConformance({
    create(dir) {
      const open = () => fileLocks({ root: join(dir, "locks"), leaseMs: 5_000 });
      return {
        locks: open(),
        other: open(),
        crash: { module: program, argument: { locks: join(dir, "locks") }, within: dir },
        async lose(name) {
          const folder = join(dir, "locks", `${name}.lock`);
          for (const file of await readdir(folder)) if (file.endsWith(".lock")) await rm(join(folder, file));
        },
      };
    },
  }),
  { describe, it },
);

const module = fileURLToPath(new URL("../dist/plugin.js", import.meta.url));
runConformance(pluginConformance({ create: () => ({ plugin, module }) }), { describe, it });

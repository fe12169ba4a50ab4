import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { pluginConformance, runConformance, storeConformance } from "@keepsake/testkit";
import plugin, { myStore } from "../src/index.js";

const module = fileURLToPath(new URL("../src/index.js", import.meta.url));

runConformance(
  [
    ...pluginConformance({ create: () => ({ plugin, module, options: () => ({ root: "store" }) }) }),
    ...storeConformance({
      create(dir) {
        const open = () => myStore({ root: join(dir, "store") });
        return { store: open(), reopen: open, place: dir };
      },
    }),
  ],
  { describe, it },
);

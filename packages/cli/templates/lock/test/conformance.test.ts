import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { lockConformance, pluginConformance, runConformance } from "@keepsake/testkit";
import plugin, { myLock } from "../src/index.js";
import { lose } from "./conformance-options.js";

const module = fileURLToPath(new URL("../src/index.js", import.meta.url));

runConformance(
  [
    ...pluginConformance({ create: () => ({ plugin, module, options: () => ({ root: "locks" }) }) }),
    ...lockConformance({
      create(dir) {
        const open = () => myLock({ root: join(dir, "locks") });
        return { locks: open(), other: open(), lose: (name) => lose(name, { dir }) };
      },
    }),
  ],
  { describe, it },
);

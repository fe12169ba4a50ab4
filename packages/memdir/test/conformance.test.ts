import { mkdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pluginConformance, runConformance, sourceConformance, treeDigest, writeTree } from "@keepsake/testkit";
import { describe, it } from "vitest";
import { memdir } from "../src/index.js";
import plugin from "../src/plugin.js";

const OLD = 1_600_000_000_000;

runConformance(
  sourceConformance({
    async create(dir) {
      const memory = join(dir, "memory");
      await mkdir(memory);
      return {
        source: memdir(),
        memory,
        live: {
          make: () =>
            writeTree(memory, {
              "note.md": { file: "a note\n", mode: 0o640, mtimeMs: OLD },
              "deep/er/one.md": "one",
              "deep/er/two.md": "two",
              "deep/gone.md": "gone later",
              "run.sh": { file: "#!/bin/sh\n", mode: 0o755 },
              "empty folder": { directory: true, mode: 0o711 },
              link: { link: "deep/er" },
              "new\nline": "odd",
            }),
          async change() {
            await writeTree(memory, { "note.md": `changed ${String(Math.random())}`, "later/new.md": "new" });
            await rm(join(memory, "deep/gone.md"), { force: true });
            await rm(join(memory, "link"));
            await symlink("note.md", join(memory, "link"));
            await rename(join(memory, "run.sh"), join(memory, "run")).catch(() => undefined);
          },
          read: () => treeDigest(memory),
        },
      };
    },
  }),
  { describe, it },
);

const module = fileURLToPath(new URL("../dist/plugin.js", import.meta.url));
runConformance(pluginConformance({ create: () => ({ plugin, module }) }), { describe, it });

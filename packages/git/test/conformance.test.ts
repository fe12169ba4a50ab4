import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pluginConformance, runConformance, sourceConformance } from "@keepsake/testkit";
import { describe, it } from "vitest";
import { git } from "../src/index.js";
import plugin from "../src/plugin.js";
import { commitFile, run } from "./harness.js";

/** Refs with what they lead to, HEAD, the staged edits, and git's own opinion of it all. */
function stateOf(memory: string): unknown {
  return [".", "nested", "new"]
    .filter((folder) => existsSync(join(memory, folder, ".git")))
    .map((folder) => {
      const at = join(memory, folder);
      return [
        folder,
        run(at, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"),
        run(at, "symbolic-ref", "HEAD"),
        run(at, "fsck", "--full", "--no-dangling"),
      ];
    });
}

runConformance(
  sourceConformance({
    create(dir) {
      const memory = join(dir, "memory");
      mkdirSync(memory);
      return {
        source: git(),
        memory,
        live: {
          make() {
            for (const at of [memory, join(memory, "nested")]) {
              mkdirSync(at, { recursive: true });
              run(at, "init", "-q", "-b", "main");
              for (const text of ["one", "two"]) commitFile(at, "note.md", text);
              run(at, "branch", "side");
            }
          },
          change() {
            commitFile(memory, "note.md", `changed ${String(Math.random())}`);
            if (!existsSync(join(memory, "new"))) {
              run(join(memory, "nested"), "branch", "-q", "-D", "side");
              mkdirSync(join(memory, "new"));
              run(join(memory, "new"), "init", "-q", "-b", "other");
            }
            commitFile(join(memory, "new"), "new.md", `new ${String(Math.random())}`);
          },
          read: () => stateOf(memory),
        },
      };
    },
  }),
  { describe, it },
  // Every step of the data is some processes: a loaded machine needs its time.
  { limitMs: 200_000 },
);

const module = fileURLToPath(new URL("../dist/plugin.js", import.meta.url));
runConformance(pluginConformance({ create: () => ({ plugin, module }) }), { describe, it });

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pluginConformance, runConformance, sourceConformance } from "@keepsake/testkit";
import Database from "better-sqlite3";
import { describe, it } from "vitest";
import { sqlite } from "../src/index.js";
import plugin from "../src/plugin.js";
import { make, query } from "./support.js";

/** Every row of every database, which is what has to come back; not how its pages lie. */
function rowsIn(memory: string): unknown {
  const names = readdirSync(memory, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".db"));
  return names
    .sort()
    .map((name) => [
      name,
      query(join(memory, name), "SELECT * FROM notes ORDER BY 1"),
      query(join(memory, name), "PRAGMA user_version"),
    ]);
}

runConformance(
  sourceConformance({
    create(dir) {
      const memory = join(dir, "memory");
      mkdirSync(memory);
      return {
        source: sqlite(),
        memory,
        live: {
          make() {
            const sql =
              "CREATE TABLE notes (id INTEGER PRIMARY KEY, text); INSERT INTO notes VALUES (1, 'one'), (2, x'00ff'); PRAGMA user_version = 7";
            make(join(memory, "plain.db"), sql);
            make(join(memory, "deep/other.db"), sql);
            writeFileSync(join(memory, "note.md"), "no database");
          },
          change() {
            for (const name of ["plain.db", "deep/other.db"]) {
              const connection = new Database(join(memory, name));
              connection.prepare("INSERT INTO notes (text) VALUES (?)").run("later");
              connection.prepare("DELETE FROM notes WHERE id = 1").run();
              connection.close();
            }
            const sql =
              "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text); INSERT INTO notes (text) VALUES (1)";
            make(join(memory, "new.db"), sql);
          },
          read: () => rowsIn(memory),
        },
      };
    },
  }),
  { describe, it },
  // Every session is a process, every step of the data some: a loaded machine needs its time.
  { limitMs: 200_000 },
);

const module = fileURLToPath(new URL("../dist/plugin.js", import.meta.url));
runConformance(pluginConformance({ create: () => ({ plugin, module }) }), { describe, it });

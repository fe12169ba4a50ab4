import { copyFileSync } from "node:fs";
import { join } from "node:path";
import type { ArtifactReader } from "@keepsake/core";
import Database from "better-sqlite3";
import * as sqliteVec from "sqlite-vec";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { capture, filesOf, make, metaOf, place, query } from "./support.js";

type Place = Awaited<ReturnType<typeof place>>;

/** What a bundle of the memory as it is now would hold. */
async function bundle(at: Place): Promise<ArtifactReader> {
  const { entries } = await capture(sqlite(), at.target());
  const files = filesOf(entries);
  const bundled = Object.values(files).map((entry) => ({
    meta: metaOf(entry, entry.file),
    path: entry.path,
    file: entry.file,
  }));
  return { entries: bundled, omitted: [] };
}

async function diffOf(at: Place, change: () => void) {
  const before = await bundle(at);
  change();
  const diff = await sqlite().diff?.(before, await bundle(at));
  if (diff === undefined) throw new Error("The source has no diff.");
  return { summary: diff.summary, items: Object.fromEntries(diff.items.map(({ path, ...item }) => [path, item])) };
}

async function diffSql(before: string, after: string) {
  await using at = await place();
  const file = make(join(at.memory, "a.db"), before);
  return await diffOf(at, () => make(file, after));
}

describe("diff", () => {
  it("finds nothing between equal databases, although their bytes differ", async () => {
    await using at = await place();
    const file = make(
      join(at.memory, "a.db"),
      "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3); CREATE INDEX i ON t (a)",
    );
    const { items, summary } = await diffOf(at, () =>
      make(
        file,
        "DELETE FROM t WHERE a = 3; INSERT INTO t VALUES (3); DROP INDEX i; CREATE INDEX i ON t (a); CREATE TABLE x (b); DROP TABLE x",
      ),
    );
    expect(items).toEqual({});
    expect(Object.values(summary).every((count) => count === 0)).toBe(true);
  });

  it("counts rows by primary key, else by row number", async () => {
    const { items, summary } = await diffSql(
      `CREATE TABLE ints (id INTEGER PRIMARY KEY, v); INSERT INTO ints VALUES (1, 'a'), (2, 'b'), (3, 'c');
       CREATE TABLE texts (k TEXT PRIMARY KEY, v); INSERT INTO texts VALUES ('x', 1), ('y', 2);
       CREATE TABLE pairs (a, b, v, PRIMARY KEY (b, a)) WITHOUT ROWID; INSERT INTO pairs VALUES (1, 1, 'p'), (1, 2, 'q');
       CREATE TABLE none (v); INSERT INTO none VALUES ('a'), ('b');
       CREATE TABLE same (v); INSERT INTO same VALUES (1)`,
      `DELETE FROM ints WHERE id = 1; UPDATE ints SET v = 'B' WHERE id = 2; INSERT INTO ints VALUES (9, 'n'), (10, 'm');
       DELETE FROM texts; INSERT INTO texts VALUES ('y', 2), ('x', 7);
       UPDATE pairs SET v = 'r' WHERE b = 2; INSERT INTO pairs VALUES (2, 2, 's');
       UPDATE none SET v = 'c' WHERE v = 'b'`,
    );
    expect(items).toEqual({
      "a.db:ints": { change: "changed", details: { rowsAdded: 2, rowsRemoved: 1, rowsChanged: 1 } },
      "a.db:texts": { change: "changed", details: { rowsChanged: 1 } },
      "a.db:pairs": { change: "changed", details: { rowsAdded: 1, rowsChanged: 1 } },
      "a.db:none": { change: "changed", details: { rowsChanged: 1 } },
    });
    expect(summary).toMatchObject({ tablesChanged: 4, rowsAdded: 3, rowsRemoved: 1, rowsChanged: 4 });
  });

  it("tells values apart by type and bytes", async () => {
    const rows = [
      "1 -> 1.0",
      "1 -> '1'",
      "'1' -> x'31'",
      "NULL -> 0",
      "NULL -> ''",
      "'a' -> 'A'",
      "0.5 -> 0.25",
      "1 -> 1",
      "NULL -> NULL",
    ];
    const values = (side: 0 | 1) =>
      rows.map((row, id) => `(${String(id)}, ${row.split(" -> ")[side] ?? ""})`).join(", ");
    const { items } = await diffSql(
      `CREATE TABLE t (id INTEGER PRIMARY KEY, v COLLATE NOCASE); INSERT INTO t VALUES ${values(0)}`,
      `DELETE FROM t; INSERT INTO t VALUES ${values(1)}`,
    );
    expect(items).toEqual({ "a.db:t": { change: "changed", details: { rowsChanged: 7 } } });
  });

  it("tells of tables, indexes, views, triggers, columns and the user version", async () => {
    const { items } = await diffSql(
      `CREATE TABLE old (a); INSERT INTO old VALUES (1), (2); CREATE TABLE wide (a); INSERT INTO wide VALUES (1);
       CREATE INDEX gone ON wide (a); CREATE VIEW v AS SELECT a FROM wide; PRAGMA user_version = 3`,
      `DROP TABLE old; CREATE TABLE fresh (a); INSERT INTO fresh VALUES (1); ALTER TABLE wide ADD COLUMN b; DROP INDEX gone;
       DROP VIEW v; CREATE VIEW v AS SELECT a, b FROM wide; CREATE TRIGGER tr AFTER INSERT ON wide BEGIN SELECT 1; END;
       PRAGMA user_version = 4`,
    );
    expect(items).toEqual({
      "a.db": { change: "changed", details: { userVersionBefore: 3, userVersionAfter: 4 } },
      "a.db:old": { change: "removed", details: { rowsRemoved: 2 } },
      "a.db:fresh": { change: "added", details: { rowsAdded: 1 } },
      "a.db:wide": { change: "changed", details: { schemaChanged: true } },
      "a.db:gone": { change: "removed", details: { object: "index" } },
      "a.db:v": { change: "changed", details: { object: "view" } },
      "a.db:tr": { change: "added", details: { object: "trigger" } },
    });
  });

  it("works with any names, with generated columns, and with a thousand columns", async () => {
    const columns = Array.from({ length: 1000 }, (_, n) => `c${String(n)}`).join(", ");
    const { items } = await diffSql(
      `CREATE TABLE "se""l'e ct" ("or""der" PRIMARY KEY, "group"); INSERT INTO "se""l'e ct" VALUES (1, 1);
       CREATE TABLE "表" (rowid, _rowid_ TEXT, v, g AS (v + 1)); INSERT INTO "表" VALUES (1, 1, 1);
       CREATE TABLE wide (${columns}); INSERT INTO wide (c0, c999) VALUES (1, 1)`,
      `UPDATE "se""l'e ct" SET "group" = 2; UPDATE "表" SET v = 2; UPDATE wide SET c999 = 2`,
    );
    const changed = { change: "changed", details: { rowsChanged: 1 } };
    expect(items).toEqual({ [`a.db:se"l'e ct`]: changed, "a.db:表": changed, "a.db:wide": changed });
  });

  it("counts what it can where a collation is not loaded", async () => {
    await using at = await place();
    const file = make(
      join(at.memory, "a.db"),
      "CREATE TABLE t (k TEXT PRIMARY KEY, v); INSERT INTO t VALUES ('a', 1), ('b', 2)",
    );
    const connection = new Database(file);
    connection.unsafeMode(true);
    connection.pragma("writable_schema = ON");
    connection.exec("UPDATE sqlite_schema SET sql = replace(sql, 'k TEXT', 'k TEXT COLLATE mine') WHERE name = 't'");
    connection.close();
    const { items } = await diffOf(at, () => make(file, "UPDATE t SET v = 3 WHERE rowid = 2"));
    expect(items).toEqual({ "a.db:t": { change: "changed", details: { rowsChanged: 1 } } });
  });

  it("hides what virtual tables keep for themselves behind them, without their extension", async () => {
    await using at = await place();
    const file = join(at.memory, "a.db");
    const write = (sql: string) => {
      const connection = new Database(file);
      sqliteVec.load(connection);
      connection.exec(sql);
      connection.close();
    };
    write(`CREATE VIRTUAL TABLE notes USING fts5(body); INSERT INTO notes VALUES ('one');
           CREATE TABLE notes_archive (id INTEGER PRIMARY KEY); CREATE VIRTUAL TABLE still USING fts5(body);
           CREATE VIRTUAL TABLE vectors USING vec0(embedding float[3]); INSERT INTO vectors VALUES (1, '[1, 2, 3]')`);
    const { items } = await diffOf(at, () => {
      write(
        `INSERT INTO notes VALUES ('two'); INSERT INTO vectors VALUES (2, '[4, 5, 6]'); INSERT INTO notes_archive VALUES (1)`,
      );
    });
    expect(Object.keys(items).sort()).toEqual(["a.db:notes", "a.db:notes_archive", "a.db:vectors"]);
    expect(items["a.db:notes"]).toMatchObject({ change: "changed", details: { module: "fts5" } });
    expect(items["a.db:vectors"]).toMatchObject({ change: "changed", details: { module: "vec0" } });
  });

  it("tells of databases that came and went, and stops when it is told to", async () => {
    await using at = await place();
    make(join(at.memory, "old.db"), "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
    const before = await bundle(at);
    copyFileSync(join(at.memory, "old.db"), join(at.memory, "new.db"));
    const after = await bundle(at);
    const rest = { entries: after.entries.filter(({ path }) => path === "new.db"), omitted: [] };
    const diff = await sqlite().diff?.(before, rest);
    expect(diff?.items).toEqual([
      { path: "new.db", change: "added", details: { tables: 1, rowsAdded: 2 } },
      { path: "old.db", change: "removed", details: { tables: 1, rowsRemoved: 2 } },
    ]);
    expect(diff?.summary).toMatchObject({ databasesAdded: 1, databasesRemoved: 1, rowsAdded: 2, rowsRemoved: 2 });
    const stop = new AbortController();
    const diffing = sqlite().diff?.(before, rest, { signal: stop.signal });
    stop.abort();
    await expect(diffing).rejects.toMatchObject({ name: "AbortError" });
    expect(query(after.entries[0]?.file ?? "", "SELECT count(*) FROM t")).toEqual([[2]]);
  });
});

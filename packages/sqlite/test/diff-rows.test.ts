import { copyFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffDatabases } from "../src/process/diff/diff-databases.js";
import { make, place } from "./support.js";

/** The lines between a database made by `before` and a copy of it to which `after` was done, by path. */
async function diffSql(before: string, after: string, copied = true): Promise<Record<string, unknown>> {
  await using at = await place();
  const old = make(join(at.memory, "old.db"), before);
  const now = join(at.memory, "new.db");
  if (copied) copyFileSync(old, now);
  make(now, after);
  return await diffFiles(old, now);
}

async function diffFiles(before: string | null, after: string | null): Promise<Record<string, unknown>> {
  const lines = await diffDatabases({ path: "d", before, after });
  return Object.fromEntries(lines.map(({ path, change, details }) => [path, { change, ...details }]));
}

const changed = (details: object) => ({ "d:t": { change: "changed", ...details } });

describe("rows between two databases", () => {
  it("finds ten changes in a hundred thousand rows, exactly", async () => {
    const rows =
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) INSERT INTO t SELECT i, 'row ' || i FROM n";
    expect(
      await diffSql(
        `CREATE TABLE t (id INTEGER PRIMARY KEY, v); ${rows}`,
        "DELETE FROM t WHERE id IN (5, 50000); UPDATE t SET v = v || '!' WHERE id % 25000 = 3; INSERT INTO t VALUES (100001, 1), (100002, 1), (-1, 1), (0, 1)",
      ),
    ).toEqual(changed({ rowsAdded: 4, rowsRemoved: 2, rowsChanged: 4 }));
  });

  it("takes rows that VACUUM numbered anew for the same, which by rowid they are not", async () => {
    const before =
      "CREATE TABLE t (v); INSERT INTO t VALUES ('a'), ('b'), ('b'), ('c'), ('b'); DELETE FROM t WHERE rowid = 1";
    await using at = await place();
    const old = make(join(at.memory, "old.db"), before);
    const now = join(at.memory, "new.db");
    copyFileSync(old, now);
    make(now, "VACUUM");
    const rowids = (file: string) =>
      new Database(file, { readonly: true }).prepare("SELECT rowid FROM t").pluck().all();
    expect(rowids(now)).not.toEqual(rowids(old));
    expect(readFileSync(now).equals(readFileSync(old))).toBe(false);
    expect(await diffFiles(old, now)).toEqual({});
    make(now, "INSERT INTO t VALUES ('new'); DELETE FROM t WHERE v = 'c'; VACUUM");
    expect(await diffFiles(old, now)).toEqual(changed({ rowsAdded: 1, rowsRemoved: 1 }));
  });

  it("sees swapped rows, with a key and without", async () => {
    const swap = "UPDATE t SET v = CASE v WHEN 'a' THEN 'b' WHEN 'b' THEN 'a' ELSE v END";
    const rows = "INSERT INTO t (v) VALUES ('a'), ('b'), ('c')";
    const two = changed({ rowsChanged: 2 });
    expect(await diffSql(`CREATE TABLE t (id INTEGER PRIMARY KEY, v); ${rows}`, swap)).toEqual(two);
    expect(await diffSql(`CREATE TABLE t (v); ${rows}`, swap)).toEqual(two);
  });

  it("tells apart rows whose key holds NULL, of which there may be several", async () => {
    const table = "CREATE TABLE t (a, b, v, PRIMARY KEY (a, b))";
    expect(
      await diffSql(
        `${table}; INSERT INTO t VALUES (NULL, 1, 'x'), (NULL, 1, 'y'), (NULL, NULL, 'z'), (1, 1, 'k')`,
        "UPDATE t SET v = 'X' WHERE v = 'x'; DELETE FROM t WHERE v = 'z'; INSERT INTO t VALUES (2, NULL, 'n'), (2, 2, 'm'); UPDATE t SET v = 'K' WHERE v = 'k'",
      ),
    ).toMatchObject(changed({ rowsAdded: 2, rowsRemoved: 1, rowsChanged: 2 }));
  });

  it("sees that a key was respelled under its collation, and that its type changed", async () => {
    expect(
      await diffSql(
        "CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY, v); INSERT INTO t VALUES ('a', 1), ('b', 2)",
        "UPDATE t SET k = 'A' WHERE k = 'a'",
      ),
    ).toEqual(changed({ rowsChanged: 1 }));
    expect(await diffSql("CREATE TABLE t (k PRIMARY KEY); INSERT INTO t VALUES (1)", "UPDATE t SET k = 1.0")).toEqual(
      changed({ rowsChanged: 1 }),
    );
  });

  it("takes all rows for others when the key columns are", async () => {
    expect(
      await diffSql(
        "CREATE TABLE t (a, b, PRIMARY KEY (a)); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)",
        "CREATE TABLE t (a, b, PRIMARY KEY (b)); INSERT INTO t VALUES (1, 1), (2, 2)",
        false,
      ),
    ).toEqual(changed({ rowsAdded: 2, rowsRemoved: 3, schemaChanged: true }));
  });

  it("compares external content with its index, and a table that is called like a part of it", async () => {
    await using at = await place();
    const index = "CREATE VIRTUAL TABLE t USING fts5(body, content='t_content', content_rowid='id')";
    const old = make(join(at.memory, "old.db"), `CREATE TABLE t_content (id INTEGER PRIMARY KEY, body); ${index}`);
    const now = join(at.memory, "new.db");
    copyFileSync(old, now);
    const connection = new Database(now);
    // Defensive connections, as this library makes them, take the table for one of the module's own.
    connection.unsafeMode(true);
    connection.exec("INSERT INTO t_content VALUES (1, 'one'); INSERT INTO t (rowid, body) VALUES (1, 'one')");
    connection.close();
    const found = await diffFiles(old, now);
    expect(found["d:t_content"]).toEqual({ change: "changed", rowsAdded: 1 });
    expect(found["d:t"]).toMatchObject({ change: "changed", module: "fts5" });
    expect(Object.keys(found["d:t"] as object)).toContain("shadowRowsAdded");
    expect(Object.keys(found)).toHaveLength(2);
  });

  it("says that text encodings differ, which SQLite cannot compare", async () => {
    const rows = "CREATE TABLE t (v); INSERT INTO t VALUES ('a'), ('b')";
    const lines = await diffSql(rows, `PRAGMA encoding = 'UTF-16le'; ${rows}`, false);
    expect(lines["d"]).toEqual({ change: "changed", textEncodingChanged: true });
  });

  it("compares with a database that holds nothing, and with what needs functions that are not here", async () => {
    const table = "CREATE TABLE t (v); INSERT INTO t VALUES (1)";
    expect(await diffSql("", table)).toEqual({ "d:t": { change: "added", rowsAdded: 1 } });
    const view = (name: string) => `CREATE VIEW w AS SELECT ${name}(v) FROM t`;
    expect(await diffSql(`${table}; ${view("f")}`, `DROP VIEW w; ${view("g")}`)).toEqual({
      "d:w": { change: "changed", object: "view" },
    });
  });

  it("refuses damaged files with a code of its own", async () => {
    await using at = await place();
    const rows =
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i, hex(randomblob(50)) FROM n";
    const good = make(join(at.memory, "good.db"), `CREATE TABLE t (id INTEGER PRIMARY KEY, v); ${rows}`);
    const cut = join(at.memory, "cut.db");
    copyFileSync(good, cut);
    truncateSync(cut, 40_960);
    const none = join(at.memory, "none.db");
    writeFileSync(none, "SQLite format 3\0 and no more than that".padEnd(4096, "x"));
    for (const [before, after] of [
      [good, cut],
      [cut, good],
      [good, none],
      [none, good],
      [null, none],
    ] as const) {
      await expect(diffDatabases({ path: "d", before, after })).rejects.toMatchObject({ code: "E_DATABASE_DAMAGED" });
    }
  });

  it("stops between two portions of rows", async () => {
    await using at = await place();
    const old = make(join(at.memory, "old.db"), "CREATE TABLE t (a PRIMARY KEY)");
    const now = make(join(at.memory, "new.db"), "CREATE TABLE t (a PRIMARY KEY); INSERT INTO t VALUES (1)");
    const pair = { path: "d", before: old, after: now };
    await expect(diffDatabases(pair, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("rows, against a model", () => {
  const literal = fc.constantFrom("NULL", "0", "1", "1.0", "'1'", "x'31'", "'a'", "'A'", "''", "2.5");
  const key = fc.constantFrom("0", "1", "2", "'1'", "'a'", "'b'", "'A'", "x'61'", "-7", "2.5");
  const rows = fc.dictionary(key, fc.tuple(literal, literal), { maxKeys: 8, noNullPrototype: true });
  const shape = fc.constantFrom(
    "(k PRIMARY KEY, v COLLATE NOCASE, w) WITHOUT ROWID",
    "(v, k PRIMARY KEY, w COLLATE RTRIM)",
    "(k, v, w, g AS (v || w), PRIMARY KEY (k DESC))",
  );

  it("agrees", async () => {
    await using at = await place();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(shape, rows, rows, async (columns, old, now) => {
        const write = (content: typeof old) =>
          make(
            join(at.memory, `${String(run++)}.db`),
            [
              `CREATE TABLE t ${columns}`,
              ...Object.entries(content).map(([k, [v, w]]) => `INSERT INTO t (k, v, w) VALUES (${k}, ${v}, ${w})`),
            ].join(";"),
          );
        const [line] = await diffDatabases({ path: "d", before: write(old), after: write(now) });
        const both = Object.keys(old).filter((k) => Object.hasOwn(now, k));
        expect(line?.rows ?? { rowsAdded: 0, rowsRemoved: 0, rowsChanged: 0 }).toEqual({
          rowsAdded: Object.keys(now).length - both.length,
          rowsRemoved: Object.keys(old).length - both.length,
          rowsChanged: both.filter((k) => String(old[k]) !== String(now[k])).length,
        });
      }),
      { numRuns: 120 },
    );
  });
});

import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { bytesOf, capture, filesOf, judge, make, place, query, runKilled } from "./support.js";

const TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, text); INSERT INTO t (text) VALUES ('one'), ('two')";

describe("discovery", () => {
  it("finds databases by their header, whatever their name, and claims their sidecars", async () => {
    await using at = await place();
    make(join(at.memory, "long_term.sqlite"), TABLE);
    make(join(at.memory, "deep/er/no-extension"), TABLE);
    make(join(at.memory, ".git/objects.db"), TABLE);
    make(join(at.memory, ".keepsake-x/staged.db"), TABLE);
    writeFileSync(join(at.memory, "notes.db"), "not a database, whatever it is called");
    writeFileSync(join(at.memory, "empty.db"), "");
    writeFileSync(join(at.memory, "long_term.sqlite-mj0123ABCDE"), "");
    symlinkSync("long_term.sqlite", join(at.memory, "link.db"));
    const { entries, claims } = await capture(sqlite(), at.target());
    expect(Object.keys(filesOf(entries)).sort()).toEqual(["deep/er/no-extension", "long_term.sqlite"]);
    const claimed = claims.map(({ path }) => path.slice(at.memory.length + 1));
    expect(claimed).toEqual(
      expect.arrayContaining([
        ...["long_term.sqlite", "long_term.sqlite-wal", "long_term.sqlite-shm", "long_term.sqlite-journal"],
        ...["long_term.sqlite-mj0123ABCDE", "deep/er/no-extension"],
      ]),
    );
    expect(claimed).not.toContain("notes.db");
  });

  it("finds one whose last page is cut by its log or its name, and takes no other file of such a size for one", async () => {
    await using at = await place();
    for (const name of ["logged", "named.SQLITE", "neither"]) {
      make(join(at.memory, name), TABLE);
      appendFileSync(join(at.memory, name), "half a page");
    }
    writeFileSync(join(at.memory, "logged-journal"), "");
    const { entries, claims } = await capture(sqlite(), at.target());
    expect(Object.keys(filesOf(entries)).sort()).toEqual(["logged", "named.SQLITE"]);
    expect(claims.map(({ path }) => path)).not.toContain(join(at.memory, "neither"));
  });

  it("fills in the root, and keeps to include and exclude", async () => {
    await using at = await place();
    for (const name of ["a.db", "b.db", "sub/c.db"]) make(join(at.dir, "acme/ana", name), TABLE);
    const root = join(at.dir, "{tenant}/{agent}");
    const names = async (options: object) =>
      Object.keys(filesOf((await capture(sqlite({ root, ...options }), at.target())).entries));
    expect(await names({})).toEqual(["a.db", "b.db", "sub/c.db"]);
    expect(await names({ include: ["sub/**", "a.db"] })).toEqual(["a.db", "sub/c.db"]);
    expect(await names({ exclude: ["*.db"] })).toEqual(["sub/c.db"]);
    expect(await names({ include: ["sub/**"], required: ["b.db"] })).toEqual(["b.db", "sub/c.db"]);
  });

  it("says which required databases are absent, also when the root is", async () => {
    await using at = await place();
    const { entries } = await capture(sqlite({ required: ["long_term.sqlite"] }), at.target());
    expect(entries).toEqual([{ type: "absent", path: "long_term.sqlite", required: true }]);
    const nowhere = await capture(sqlite({ root: "none", required: ["x.db"] }), at.target());
    expect(nowhere.entries).toEqual([{ type: "absent", path: "x.db", required: true }]);
  });

  it("escapes names that another system would take for one", async () => {
    await using at = await place();
    make(join(at.memory, "A.db"), TABLE);
    make(join(at.memory, "a.db"), TABLE);
    make(join(at.memory, "back\\slash.db"), TABLE);
    make(join(at.memory, "white space .db "), TABLE);
    copyFileSync(join(at.memory, "A.db"), join(at.memory, "ends in space "));
    const { entries } = await capture(sqlite(), at.target());
    const files = filesOf(entries);
    expect(Object.values(files).filter(({ nameEncoding }) => nameEncoding === "percent")).toHaveLength(2);
    expect(Object.keys(files)).toContain("ends in space ");
    for (const { file } of Object.values(files)) expect(judge(file)).toBe("ok");
  });
});

describe("a copy", () => {
  it("is complete without sidecars, where copying the file alone loses rows", async () => {
    await using at = await place();
    const file = join(at.memory, "wal.db");
    const agent = new Database(file);
    agent.pragma("journal_mode = WAL");
    agent.exec(TABLE);
    copyFileSync(file, join(at.dir, "naive.db"));
    expect(query(join(at.dir, "naive.db"), "SELECT count(*) FROM sqlite_schema")).toEqual([[0]]);

    const { entries, guarantee } = await capture(sqlite(), at.target());
    const copy = filesOf(entries)["wal.db"];
    expect(guarantee).toBe("held");
    expect(query(copy?.file ?? "", "SELECT text FROM t ORDER BY id")).toEqual([["one"], ["two"]]);
    expect(existsSync(`${copy?.file ?? ""}-wal`)).toBe(false);
    expect(judge(copy?.file ?? "")).toBe("ok");
    agent.close();
  });

  it("tells the facts of each database", async () => {
    await using at = await place();
    make(
      join(at.memory, "vector.sqlite"),
      `${TABLE}; PRAGMA user_version = 7; PRAGMA application_id = 99; CREATE TABLE "wei""rd ' name" (x); CREATE TABLE "select" ("order")`,
      "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA encoding = 'UTF-16le'; PRAGMA journal_mode = WAL",
    );
    chmodSync(join(at.memory, "vector.sqlite"), 0o640);
    const { entries, facts } = await capture(sqlite({ kinds: { "vector.sqlite": "sqlite_vector" } }), at.target());
    const entry = filesOf(entries)["vector.sqlite"];
    expect(entry).toMatchObject({
      kind: "sqlite_vector",
      mode: 0o640,
      facts: {
        user_version: 7,
        journal_mode: "wal",
        page_size: 8192,
        row_counts: { t: 2, "wei\"rd ' name": 0, select: 0 },
      },
    });
    expect(facts?.schemaVersions).toEqual({ "vector.sqlite": 7 });
    expect(facts?.toolVersions?.["sqlite"]).toMatch(/^3\./);
    expect(facts?.toolVersions?.["better-sqlite3"]).toMatch(/^12\./);
    const pragma = (name: string) => query(entry?.file ?? "", `PRAGMA ${name}`)[0];
    expect(["application_id", "auto_vacuum", "encoding", "schema_version"].map(pragma)).toEqual([
      [99],
      [2],
      ["UTF-16le"],
      [3],
    ]);
  });

  it("needs nothing of what the database names", async () => {
    await using at = await place();
    const file = join(at.memory, "odd.db");
    const agent = new Database(file);
    agent.function("mine", { deterministic: true }, (x: unknown) => x);
    agent.exec(`
      CREATE TABLE base (a TEXT PRIMARY KEY, b INT CHECK (mine(b) > 0), c AS (mine(b)), d AS (b + 1) STORED) WITHOUT ROWID;
      INSERT INTO base (a, b) VALUES ('x', 1), ('y', 2);
      CREATE INDEX by_mine ON base (mine(b));
      CREATE VIEW broken AS SELECT nowhere(a) FROM base;
      CREATE VIRTUAL TABLE notes USING fts5(body);
      INSERT INTO notes VALUES ('hello world');
    `);
    agent.unsafeMode(true);
    agent.pragma("writable_schema = ON");
    agent.exec(`
      UPDATE sqlite_schema SET sql = replace(sql, 'fts5(body)', 'fts5(body, tokenize = ''not_here'')') WHERE name = 'notes';
      UPDATE sqlite_schema SET sql = replace(sql, '"a TEXT', 'a TEXT') WHERE name = 'base';
      CREATE TABLE chunks (id INTEGER PRIMARY KEY, v BLOB);
      INSERT INTO sqlite_schema VALUES ('table', 'vectors', 'vectors', 0, 'CREATE VIRTUAL TABLE vectors USING vec9(embedding float[4])');
    `);
    agent.close();
    const { entries } = await capture(sqlite(), at.target());
    const entry = filesOf(entries)["odd.db"];
    expect(entry?.facts?.["row_counts"]).toMatchObject({ base: 2, notes_content: 1, chunks: 0 });
    expect(entry?.facts?.["uncounted"]).toEqual(["notes", "vectors"]);
    expect(query(entry?.file ?? "", "SELECT c0 FROM notes_content")).toEqual([["hello world"]]);
  });

  it("is made of databases without pages, and of forty databases", async () => {
    await using at = await place();
    writeFileSync(join(at.memory, "empty.db"), "");
    for (let n = 0; n < 40; n++) {
      make(join(at.memory, `n${String(n)}.db`), TABLE, n % 2 === 0 ? "PRAGMA journal_mode = WAL" : "");
    }
    const before = bytesOf(at.memory);
    const { entries, guarantee } = await capture(sqlite({ required: ["empty.db"] }), at.target());
    // A file without bytes has no lock to take.
    expect(guarantee).toBe("fenced");
    const files = filesOf(entries);
    expect(Object.keys(files)).toHaveLength(41);
    expect(files["empty.db"]?.facts).toMatchObject({ page_count: 0, row_counts: {} });
    expect(bytesOf(at.memory)).toEqual(before);
  });
});

describe("live data", () => {
  it.each(["delete", "truncate", "persist", "wal"])("is as it was, at rest in mode %s", async (mode) => {
    await using at = await place();
    make(join(at.memory, "a.db"), TABLE, `PRAGMA journal_mode = ${mode}`);
    const before = bytesOf(at.memory);
    const { guarantee, unmoved } = await capture(sqlite(), at.target());
    expect([guarantee, unmoved]).toEqual(["held", true]);
    expect(bytesOf(at.memory)).toEqual(before);
  });

  it("is as it was, with an idle agent's open log", async () => {
    await using at = await place();
    const agent = new Database(join(at.memory, "a.db"));
    agent.pragma("journal_mode = WAL");
    agent.exec(TABLE);
    const before = bytesOf(at.memory);
    await capture(sqlite(), at.target());
    expect(bytesOf(at.memory)).toEqual(before);
    agent.close();
    expect(readdirSync(at.memory)).toEqual(["a.db"]);
  });

  it.each(["wal", "delete"])("is as a killed writer in mode %s left it, and the copy is recovered", async (mode) => {
    await using at = await place();
    const file = join(at.memory, "killed.db");
    runKilled(mode, file);
    const before = bytesOf(at.memory);
    expect(Object.keys(before)).toHaveLength(mode === "wal" ? 3 : 2);

    const { entries } = await capture(sqlite(), at.target());
    expect(bytesOf(at.memory)).toEqual(before);
    const copy = filesOf(entries)["killed.db"]?.file ?? "";
    expect(query(copy, "SELECT text, count(*) FROM t GROUP BY text")).toEqual([["kept", 1000]]);
    expect(judge(copy)).toBe("ok");

    // What opening the live file does instead: the journal is rolled back, or the log moved into the file.
    make(file, "SELECT count(*) FROM t");
    expect(bytesOf(at.memory)).not.toEqual(before);
  });

  it("is as it was where a log came without its index", async () => {
    await using at = await place();
    runKilled("wal", join(at.dir, "elsewhere.db"));
    for (const suffix of ["", "-wal"])
      copyFileSync(join(at.dir, `elsewhere.db${suffix}`), join(at.memory, `a.db${suffix}`));
    const before = bytesOf(at.memory);
    const { entries, guarantee } = await capture(sqlite(), at.target());
    expect(guarantee).toBe("fenced");
    expect(bytesOf(at.memory)).toEqual(before);
    expect(query(filesOf(entries)["a.db"]?.file ?? "", "SELECT count(*) FROM t")).toEqual([[1000]]);
  });
});

describe("what is no sound database", () => {
  it("is named, and the others go on", async () => {
    await using at = await place();
    make(join(at.memory, "good.db"), TABLE);
    const damaged = make(
      join(at.memory, "damaged.db"),
      `${TABLE}; INSERT INTO t (text) SELECT randomblob(900) FROM t, t, t, t`,
    );
    const bytes = new Uint8Array(await import("node:fs").then((fs) => fs.readFileSync(damaged)));
    writeFileSync(damaged, bytes.fill(0xab, 4096 * 2, 4096 * 4));
    writeFileSync(join(at.memory, "short.db"), bytes.subarray(0, 4096 + 100));
    writeFileSync(
      join(at.memory, "garbled.db"),
      Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(4080, 0xff)]),
    );
    writeFileSync(join(at.memory, "header-only.db"), "SQLite format 3\0");
    writeFileSync(join(at.memory, "secret.db"), Buffer.alloc(8192, 0x5a));
    const options = { include: ["**"], required: ["secret.db"] };
    const { entries, claims } = await capture(sqlite(options), at.target());
    expect(Object.keys(filesOf(entries))).toEqual(["good.db"]);
    const omitted = Object.fromEntries(
      entries.flatMap((e) => (e.type === "omitted" ? [[e.path, [e.reason, e.code]]] : [])),
    );
    expect(omitted).toEqual({
      "damaged.db": ["damaged", "E_DATABASE_DAMAGED"],
      "garbled.db": ["damaged", "E_DATABASE_DAMAGED"],
      "header-only.db": ["damaged", "E_DATABASE_DAMAGED"],
      "secret.db": ["encrypted", "E_DATABASE_DAMAGED"],
      "short.db": ["damaged", "E_DATABASE_DAMAGED"],
    });
    expect(claims.map(({ path }) => path)).toContain(join(at.memory, "garbled.db"));
  });

  it("is not a database whose rows break a constraint, or whose index lacks entries", async () => {
    await using at = await place();
    const file = make(
      join(at.memory, "a.db"),
      "CREATE TABLE t (a NOT NULL, b UNIQUE); INSERT INTO t VALUES (1, 1), (2, 2)",
    );
    const connection = new Database(file);
    connection.unsafeMode(true);
    connection.pragma("writable_schema = ON");
    connection.exec(
      "UPDATE sqlite_schema SET sql = 'CREATE TABLE t (a NOT NULL CHECK (a > 5), b UNIQUE)' WHERE name = 't'",
    );
    connection.close();
    expect(judge(file)).not.toBe("ok");
    const { entries } = await capture(sqlite(), at.target());
    expect(Object.keys(filesOf(entries))).toEqual(["a.db"]);
  });

  it("is a folder that is in the way of a required one", async () => {
    await using at = await place();
    mkdirSync(join(at.memory, "x.db"));
    const { entries } = await capture(sqlite({ required: ["x.db"] }), at.target());
    expect(entries).toEqual([{ type: "absent", path: "x.db", required: true }]);
  });
});

import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { collectBytes, type RedactionOutcome, type RedactionPolicy, streamOf } from "@keepsake/core";
import { randomToken, tempDir } from "@keepsake/testkit";
import Database from "better-sqlite3";
import * as sqliteVec from "sqlite-vec";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { judge, query } from "./support.js";

const PATTERN = /tok_[a-z0-9]{24}/g;
const policy: RedactionPolicy = {
  id: "test",
  rules: ["tok"],
  scan: (text) =>
    [...text.matchAll(PATTERN)].map((found) => ({ start: found.index, end: found.index + 28, rule: "tok" })),
};
const GONE = "[REDACTED:tok]";

function secrets() {
  const made: string[] = [];
  const next = (): string => {
    const secret = randomToken("tok_", 24);
    made.push(secret);
    return secret;
  };
  return { made, next };
}

/** Secrets of which the file still holds twelve characters in a row, in whatever case. */
function residueIn(file: string, made: readonly string[]): string[] {
  const raw = readFileSync(file).toString("latin1").toLowerCase();
  const parts = (secret: string): string[] =>
    Array.from({ length: 24 - 12 }, (_none, at) => secret.slice(4 + at, 16 + at));
  return made.filter((secret) => parts(secret).some((part) => raw.includes(part.toLowerCase())));
}

async function redact(file: string): Promise<RedactionOutcome> {
  const outcome = await sqlite().redact?.([{ pathInBundle: "sqlite/a.db", file }], policy);
  if (outcome === undefined) throw new TypeError("The source redacts.");
  return outcome;
}

/** A database that is made by `fill`, and closed. */
async function made(fill: (connection: Database.Database, next: () => string) => void) {
  const dir = await tempDir();
  const file = join(dir.path, "a.db");
  const { made: all, next } = secrets();
  const connection = new Database(file);
  fill(connection, next);
  connection.close();
  return { file, all, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

describe("a redacted copy of a database", () => {
  it("holds nothing of a secret on any page, where an update of the cells leaves it on many", async () => {
    const fill = (db: Database.Database, next: () => string): void => {
      db.exec(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT, deleted INTEGER); CREATE VIRTUAL TABLE f USING fts5(body)",
      );
      const insert = db.prepare("INSERT INTO t (body, deleted) VALUES (?, ?)");
      for (let n = 0; n < 300; n++)
        insert.run(`note ${String(n)} ${n % 3 === 0 ? next() : "plain"} ${"x".repeat(n)}`, n % 2);
      db.exec("INSERT INTO f SELECT body FROM t; DELETE FROM t WHERE deleted = 1; CREATE INDEX i ON t (body); ANALYZE");
    };
    await using naive = await made(fill);
    const connection = new Database(naive.file);
    for (const table of ["t", "f"]) {
      for (const { rowid, body } of connection.prepare(`SELECT rowid, body FROM ${table}`).all() as {
        rowid: number;
        body: string;
      }[]) {
        connection.prepare(`UPDATE ${table} SET body = ? WHERE rowid = ?`).run(body.replaceAll(PATTERN, GONE), rowid);
      }
    }
    connection.close();
    expect(residueIn(naive.file, naive.all).length).toBeGreaterThan(50);

    await using ours = await made(fill);
    const { matches, unscanned, artifactsTouched } = await redact(ours.file);
    expect(residueIn(ours.file, ours.all)).toEqual([]);
    expect(matches["tok"]).toBe(150);
    expect([unscanned, artifactsTouched]).toEqual([[], ["sqlite/a.db"]]);
    expect(judge(ours.file)).toBe("ok");
    expect(query(ours.file, "SELECT count(*) FROM f WHERE f MATCH 'note'")).toEqual([[300]]);
  });

  it("is redacted in text, JSON and bytes, without a rowid, strict, generated; numbers and pictures stay", async () => {
    const picture = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0]), randomBytes(64)]);
    await using at = await made((db, next) => {
      db.exec(`CREATE TABLE j (doc TEXT, bytes BLOB, n REAL, gen TEXT GENERATED ALWAYS AS (upper(doc)) STORED);
        CREATE TABLE w (a TEXT, b INTEGER, v BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID;
        CREATE TABLE s (a TEXT, b BLOB, c ANY) STRICT; CREATE TABLE r (rowid TEXT)`);
      db.prepare("INSERT INTO j (doc, bytes, n) VALUES (?, ?, 1.5)").run(
        JSON.stringify({ a: next() }),
        Buffer.from(`{"k":"${next()}"}`),
      );
      db.prepare("INSERT INTO j (doc, bytes, n) VALUES (?, ?, 2)").run("plain", picture);
      db.prepare("INSERT INTO w VALUES (?, 1, ?)").run(next(), Buffer.from(next()));
      db.prepare("INSERT INTO s VALUES (?, ?, ?)").run(next(), Buffer.from(next()), next());
      db.prepare("INSERT INTO r VALUES (?)").run(next());
    });
    const { unscanned } = await redact(at.file);
    expect(residueIn(at.file, at.all)).toEqual([]);
    expect(unscanned).toEqual([{ path: "sqlite/a.db#j.bytes", reason: "binary" }]);
    const rows = query(at.file, "SELECT doc, bytes, n, gen FROM j");
    expect(rows).toEqual([
      [`{"a":"${GONE}"}`, Buffer.from(`{"k":"${GONE}"}`), 1.5, `{"A":"${GONE.toUpperCase()}"}`],
      ["plain", picture, 2, "PLAIN"],
    ]);
    expect(query(at.file, "SELECT a, b, typeof(v) FROM w")).toEqual([[GONE, 1, "blob"]]);
    expect(query(at.file, "SELECT a, typeof(b), c FROM s")).toEqual([[GONE, "blob", GONE]]);
  });

  it("keeps what may be only once apart, and what refers to it", async () => {
    await using at = await made((db, next) => {
      db.exec(`CREATE TABLE child (name TEXT REFERENCES parent (name), CHECK (length(name) > 20));
        CREATE TABLE parent (name TEXT UNIQUE)`);
      for (let n = 0; n < 3; n++) {
        const secret = next();
        db.prepare("INSERT INTO parent VALUES (?)").run(secret);
        db.prepare("INSERT INTO child VALUES (?)").run(secret);
      }
    });
    await redact(at.file);
    const three = [[GONE], [`${GONE} (2)`], [`${GONE} (3)`]];
    expect(query(at.file, "SELECT name FROM parent")).toEqual(three);
    expect(query(at.file, "SELECT name FROM child")).toEqual(three);
    expect(query(at.file, "PRAGMA foreign_key_check")).toEqual([]);
  });

  it("has the views, defaults and triggers it had, without the secrets in them, and none has worked meanwhile", async () => {
    await using at = await made((db, next) => {
      db.exec(`CREATE TABLE log (line TEXT); CREATE TABLE d (a TEXT DEFAULT '${next()}', b TEXT);
        CREATE VIEW v AS SELECT '${next()}' AS secret; CREATE INDEX i ON d (b) WHERE b <> '${next()}';
        CREATE TRIGGER tr AFTER UPDATE ON d BEGIN INSERT INTO log VALUES (old.b || '${next()}'); END`);
      db.prepare("INSERT INTO d (b) VALUES (?)").run(next());
    });
    const before = query(at.file, "SELECT type, name FROM sqlite_schema ORDER BY name");
    await redact(at.file);
    expect(residueIn(at.file, at.all)).toEqual([]);
    expect(query(at.file, "SELECT type, name FROM sqlite_schema ORDER BY name")).toEqual(before);
    expect(query(at.file, "SELECT count(*) FROM log")).toEqual([[0]]);
    judge(at.file, "UPDATE d SET b = 'later'");
    expect(query(at.file, "SELECT line FROM log")).toEqual([[`${GONE}${GONE}`]]);
  });

  it("has full-text indexes made anew, and empties one that has no text", async () => {
    await using at = await made((db, next) => {
      db.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT); CREATE VIRTUAL TABLE e USING fts5(body, content='t', content_rowid='id');
        CREATE VIRTUAL TABLE c USING fts5(body, content=''); CREATE VIRTUAL TABLE p USING fts5(body, prefix='2 3 4 5 6 7 8 12');
        CREATE VIRTUAL TABLE old USING fts4(body)`);
      const secret = next();
      db.prepare("INSERT INTO t VALUES (1, ?)").run(`word ${secret}`);
      db.exec("INSERT INTO e (e) VALUES ('rebuild')");
      for (const table of ["c", "p", "old"])
        db.prepare(`INSERT INTO ${table} (rowid, body) VALUES (1, ?)`).run(`word ${secret}`);
      db.prepare("INSERT INTO p (rowid, body) VALUES (2, ?)").run(next());
      db.exec("DELETE FROM p WHERE rowid = 2");
    });
    const { unscanned } = await redact(at.file);
    expect(residueIn(at.file, at.all)).toEqual([]);
    expect(unscanned).toEqual([{ path: "sqlite/a.db#c", reason: "emptied_index" }]);
    for (const table of ["e", "p", "old"]) {
      expect(query(at.file, `SELECT rowid FROM ${table} WHERE ${table} MATCH 'word'`), table).toEqual([[1]]);
    }
    judge(at.file, "INSERT INTO e (e, rank) VALUES ('integrity-check', 1)");
  });

  it("has the texts of a vector table redacted without its extension, which then finds them so", async () => {
    await using at = await made((db, next) => {
      sqliteVec.load(db);
      db.exec("CREATE VIRTUAL TABLE v USING vec0(e float[2], note TEXT, +extra TEXT, part TEXT PARTITION KEY)");
      const insert = db.prepare("INSERT INTO v (rowid, e, note, extra, part) VALUES (?, ?, ?, ?, ?)");
      for (const id of [1n, 2n])
        insert.run(id, Buffer.from(new Float32Array([1, 2]).buffer), `note ${next()}`, next(), next());
    });
    const { unscanned } = await redact(at.file);
    expect(residueIn(at.file, at.all)).toEqual([]);
    expect(unscanned).toEqual([]);
    const db = new Database(at.file);
    sqliteVec.load(db);
    const all = db
      .prepare(`SELECT rowid, note, extra, part FROM v WHERE note = 'note ${GONE}' ORDER BY rowid`)
      .raw()
      .all();
    db.close();
    expect(all).toEqual([1, 2].map((id) => [id, `note ${GONE}`, GONE, GONE]));
  });

  it("keeps the vectors made of what was redacted, and says so; or has zeros instead, where that is asked", async () => {
    const fill = (db: Database.Database, next: () => string): void => {
      sqliteVec.load(db);
      db.exec(
        `CREATE VIRTUAL TABLE v USING vec0(e float[2]); CREATE TABLE n (id INTEGER PRIMARY KEY, body TEXT, embedding BLOB)`,
      );
      for (const id of [1n, 2n, 3n]) {
        const vector = Buffer.from(new Float32Array([Number(id), 7]).buffer);
        db.prepare("INSERT INTO v (rowid, e) VALUES (?, ?)").run(id, vector);
        db.prepare("INSERT INTO n VALUES (?, ?, ?)").run(id, id === 2n ? next() : "plain", vector);
      }
    };
    const vectorsIn = (file: string): unknown[] => {
      const db = new Database(file);
      sqliteVec.load(db);
      const rows = db
        .prepare("SELECT vec_to_json(e), vec_to_json(embedding) FROM v JOIN n ON n.id = v.rowid")
        .raw()
        .all();
      db.close();
      return rows.map((row) => (row as string[]).map((vector) => (JSON.parse(vector) as number[])[1]));
    };
    for (const [embeddings, outcome, vectors] of [
      [
        "keep",
        { outcome: "kept" },
        [
          [7, 7],
          [7, 7],
          [7, 7],
        ],
      ],
      [
        "null",
        { outcome: "nulled", count: 2 },
        [
          [7, 7],
          [0, 0],
          [7, 7],
        ],
      ],
    ] as const) {
      await using at = await made(fill);
      const staged = [{ pathInBundle: "sqlite/a.db", file: at.file }];
      const { facts } = (await sqlite({ embeddings }).redact?.(staged, policy)) ?? {};
      expect(facts?.["sqlite/a.db"]).toMatchObject({ embeddings: outcome });
      expect(vectorsIn(at.file)).toEqual(vectors);
    }
  });

  it("tells the words of its indexes, which its pages show only in parts", async () => {
    const words = Array.from({ length: 300 }, (_none, number) => `commonprefix${String(number).padStart(4, "0")}`);
    await using at = await made((db) => {
      db.exec(
        "CREATE VIRTUAL TABLE c USING fts5(body, content=''); CREATE VIRTUAL TABLE d USING fts4(body, content='')",
      );
      for (const table of ["c", "d"])
        db.prepare(`INSERT INTO ${table} (rowid, body) VALUES (1, ?)`).run(words.join(" "));
    });
    const source = sqlite();
    const told = await collectBytes(
      source.disclose?.({ pathInBundle: "sqlite/a.db", file: at.file }) ?? streamOf(""),
      1 << 20,
    );
    const all = Buffer.from(told).toString().split("\n");
    expect(words.filter((word) => all.filter((one) => one === word).length === 2)).toEqual(words);
    const raw = readFileSync(at.file, "latin1");
    expect(words.filter((word) => raw.includes(word)).length).toBeLessThan(20);
  });

  it("says what it could not look at, and leaves no file behind", async () => {
    await using at = await made((db, next) => {
      db.exec("CREATE TABLE x_data (a TEXT)");
      db.prepare("INSERT INTO x_data VALUES (?)").run(next());
      db.unsafeMode(true);
      db.pragma("writable_schema = ON");
      db.exec(`INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, 'CREATE VIRTUAL TABLE x USING acme(a)')`);
    });
    const { mode } = statSync(at.file);
    const { unscanned } = await redact(at.file);
    expect(unscanned).toEqual([{ path: "sqlite/a.db#x", reason: "unknown_table" }]);
    expect(residueIn(at.file, at.all)).toEqual([]);
    expect(statSync(at.file).mode).toBe(mode);
  });

  it("leaves a database as it was that cannot be written without what is not loaded here, and says so", async () => {
    const fill = (db: Database.Database, next: () => string): void => {
      db.function("folded", { deterministic: true }, (text) => String(text).toLowerCase());
      db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT); CREATE INDEX i ON t (folded(body))");
      db.exec("CREATE TABLE plain (body TEXT); CREATE TRIGGER kept AFTER INSERT ON plain BEGIN SELECT 1; END");
      for (const table of ["t", "plain"]) db.prepare(`INSERT INTO ${table} (body) VALUES (?)`).run(`key ${next()}`);
    };
    await using odd = await made(fill);
    await using usual = await made((db, next) => {
      db.exec("CREATE TABLE t (body TEXT)");
      db.prepare("INSERT INTO t VALUES (?)").run(next());
    });
    const before = readFileSync(odd.file);
    const files = [odd, usual].map(({ file }, index) => ({ pathInBundle: `sqlite/${String(index)}.db`, file }));
    const outcome = await sqlite().redact?.(files, policy);
    expect(outcome).toMatchObject({
      matches: { tok: 1 },
      artifactsTouched: ["sqlite/1.db"],
      unscanned: [{ path: "sqlite/0.db", reason: "not_rewritable" }],
    });
    expect(readFileSync(odd.file).equals(before)).toBe(true);
    expect(residueIn(usual.file, usual.all)).toEqual([]);
    expect(readdirSync(dirname(odd.file))).toEqual(["a.db"]);
  });

  it("is said to be of a database with a log when the live one has a log", async () => {
    await using one = await made((db, next) => {
      db.exec("CREATE TABLE t (body TEXT)");
      db.prepare("INSERT INTO t VALUES (?)").run(next());
    });
    for (const mode of ["wal", "delete"]) {
      const artifact = { pathInBundle: "sqlite/a.db", file: one.file, facts: { journal_mode: mode, user_version: 9 } };
      const outcome = await sqlite().redact?.([artifact], policy);
      expect(outcome?.facts?.["sqlite/a.db"]).toMatchObject({ journal_mode: mode, user_version: 0 });
    }
  });

  it("overwrites what bytes that are no text hold of text, and keeps every length in them", async () => {
    const packed = (secret: string): Buffer => {
      // MessagePack: a map of two, one text told by its length in a byte that is itself a letter.
      const long = `${secret} ${"-".repeat(80)}`;
      const parts = [[0x82, 0xa3], "key", [0xd9, long.length], long, [0xa1], "n", [0xcb, 0, 1, 2, 0xff, 0xfe, 3, 4, 5]];
      return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));
    };
    await using at = await made((db, next) => {
      db.exec("CREATE TABLE checkpoints (id INTEGER PRIMARY KEY, body BLOB)");
      db.prepare("INSERT INTO checkpoints (body) VALUES (?)").run(packed(next()));
    });
    const [secret = ""] = at.all;
    const { matches, unscanned } = await redact(at.file);
    expect({ matches, unscanned }).toEqual({
      matches: { tok: 1 },
      unscanned: [{ path: "sqlite/a.db#checkpoints.body", reason: "binary" }],
    });
    expect(residueIn(at.file, at.all)).toEqual([]);
    const [row] = query(at.file, "SELECT body FROM checkpoints") as [[Uint8Array]];
    const expected = packed(secret).toString("latin1").replace(secret, GONE.padEnd(secret.length, "*"));
    expect(Buffer.from(row[0]).toString("latin1")).toBe(expected);
  });
});

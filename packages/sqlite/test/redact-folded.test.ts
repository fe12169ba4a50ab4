import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { collectBytes, type RedactionOutcome, type RedactionPolicy } from "@keepsake/core";
import { randomToken, tempDir } from "@keepsake/testkit";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";

const GONE = "[REDACTED:tok]";
const policy: RedactionPolicy = {
  id: "test",
  rules: ["tok"],
  scan: (text) =>
    [...text.matchAll(/tok_[a-z0-9]{24}/g)].map(({ index }) => ({ start: index, end: index + 28, rule: "tok" })),
};
const secret = (): string => randomToken("tok_", 24);
const json = (text: string): Buffer => Buffer.from(JSON.stringify({ text, more: "x".repeat(200) }));

/** A database with one table, or what the SQL says, and a cell in each row. */
async function made(cells: readonly Uint8Array[], sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)") {
  const dir = await tempDir();
  const file = join(dir.path, "a.db");
  const db = new Database(file);
  db.exec(sql);
  const insert = db.prepare("INSERT INTO t (id, body) VALUES (?, ?)");
  db.transaction(() => {
    for (const [id, cell] of cells.entries()) insert.run(id, cell);
  })();
  db.close();
  return { file, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

function cellsIn(file: string): Buffer[] {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare("SELECT body FROM t ORDER BY id").pluck().all() as Buffer[];
  } finally {
    db.close();
  }
}

async function redact(file: string): Promise<RedactionOutcome> {
  const outcome = await sqlite().redact?.([{ pathInBundle: "sqlite/a.db", file }], policy);
  if (outcome === undefined) throw new TypeError("The source redacts.");
  return outcome;
}

async function told(file: string): Promise<string> {
  const stream = sqlite().disclose?.({ pathInBundle: "sqlite/a.db", file });
  if (stream === undefined) throw new TypeError("The source discloses.");
  return Buffer.from(await collectBytes(stream, Infinity)).toString("latin1");
}

const WRAPPERS = [
  [(bytes: Buffer) => gzipSync(bytes), gunzipSync],
  [(bytes: Buffer) => gzipSync(bytes, { level: 9 }), gunzipSync],
  [(bytes: Buffer) => deflateSync(bytes), inflateSync],
  [(bytes: Buffer) => deflateSync(bytes, { level: 1 }), inflateSync],
  [(bytes: Buffer) => deflateSync(bytes, { level: 5 }), inflateSync],
  [(bytes: Buffer) => deflateSync(bytes, { level: 9 }), inflateSync],
] as const;

describe("compressed bytes in a database", () => {
  it("hold no secret any more, and are compressed as they were", async () => {
    const keys = WRAPPERS.map(secret);
    const cells = WRAPPERS.flatMap(([fold], at) => [json(`use ${keys[at] ?? ""}`), json("nothing")].map(fold));
    await using database = await made(cells);
    // What the pages show does not tell it.
    const pages = readFileSync(database.file, "latin1");
    expect(keys.filter((key) => pages.includes(key.slice(4, 16)))).toEqual([]);
    const before = await told(database.file);
    expect(keys.filter((key) => !before.includes(key))).toEqual([]);
    expect(await redact(database.file)).toMatchObject({ matches: { tok: WRAPPERS.length }, unscanned: [] });
    const after = cellsIn(database.file);
    for (const [at, [fold, unfold]] of WRAPPERS.entries()) {
      const [first = Buffer.alloc(0), second] = after.slice(at * 2, at * 2 + 2);
      expect(unfold(first).toString()).toBe(json(`use ${GONE}`).toString());
      expect(first).toEqual(fold(json(`use ${GONE}`)));
      expect(second).toEqual(cells[at * 2 + 1]);
    }
    const still = await told(database.file);
    expect(keys.filter((key) => still.includes(key.slice(4, 16)))).toEqual([]);
    // Again is the same.
    expect(await redact(database.file)).toMatchObject({ matches: {} });
    expect(cellsIn(database.file)).toEqual(after);
  });

  it("may be of a format: what they hold of text goes, and that there is more is said", async () => {
    const key = secret();
    const content = Buffer.concat([Buffer.from([0, 1, 2, 28]), Buffer.from(key), Buffer.from([0, 3])]);
    await using database = await made([deflateSync(content)]);
    const { unscanned, matches } = await redact(database.file);
    expect(unscanned).toEqual([{ path: "sqlite/a.db#t.body", reason: "binary" }]);
    expect(matches).toEqual({ tok: 1 });
    const [cell = Buffer.alloc(0)] = cellsIn(database.file);
    expect(inflateSync(cell).toString("latin1")).toBe(`\0\u0001\u0002\u001c${GONE.padEnd(28, "*")}\0\u0003`);
  });

  it("may have other bytes behind, which are looked through, too", async () => {
    const [one, other] = [secret(), secret()];
    await using database = await made([Buffer.concat([deflateSync(json(one)), Buffer.from(`\0${other}`)])]);
    expect(await redact(database.file)).toMatchObject({ matches: { tok: 2 } });
    const [cell = Buffer.alloc(0)] = cellsIn(database.file);
    expect(cell.toString("latin1")).toMatch(/\0\[REDACTED:tok\]\*+$/);
    expect(inflateSync(cell).toString()).toContain(GONE);
  });

  it("stay as long as a column says that they are", async () => {
    const content = json(secret());
    const sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, sz INT, body BLOB)";
    await using database = await made([deflateSync(content)], sql);
    await redact(database.file);
    const [cell = Buffer.alloc(0)] = cellsIn(database.file);
    expect(inflateSync(cell).toString()).toContain(GONE);
    expect(inflateSync(cell).length).toBe(content.length);
  });

  it("are named where they hold too much, or break off; a known secret in them is told all the same", async () => {
    const key = secret();
    const large = Buffer.concat([Buffer.alloc(33 * 1024 * 1024, "lorem "), Buffer.from(key)]);
    await using database = await made([gzipSync(large, { level: 1 })]);
    const { unscanned } = await redact(database.file);
    expect(unscanned).toEqual([{ path: "sqlite/a.db#t.body", reason: "too_large" }]);
    expect(await told(database.file)).toContain(key);
    await using broken = await made([gzipSync(json(key)).subarray(0, -12)]);
    expect((await redact(broken.file)).unscanned).toEqual([{ path: "sqlite/a.db#t.body", reason: "binary" }]);
  });

  it("are no text that begins alike", async () => {
    const key = secret();
    const cells = [Buffer.from(`x^2 is no ${key}`), Buffer.from(`x\u0001 ${key}`)];
    await using database = await made(cells);
    expect(await redact(database.file)).toMatchObject({ matches: { tok: 2 } });
    expect(cellsIn(database.file)[0]?.toString()).toBe(`x^2 is no ${GONE}`);
  });

  it("are told of every table, in however many batches", async () => {
    const keys = Array.from({ length: 2500 }, secret);
    const sql = "CREATE TABLE t (id TEXT, body BLOB, PRIMARY KEY (id)) WITHOUT ROWID; CREATE TABLE u (a TEXT, b BLOB)";
    await using database = await made(
      keys.map((key) => deflateSync(Buffer.from(key))),
      sql,
    );
    const last = secret();
    const db = new Database(database.file);
    db.prepare("INSERT INTO u VALUES ('a', ?)").run(gzipSync(last));
    db.close();
    const text = await told(database.file);
    expect([...keys, last].filter((key) => !text.includes(key))).toEqual([]);
    expect(text).not.toContain(`${keys[0] ?? ""}tok_`);
  });
});

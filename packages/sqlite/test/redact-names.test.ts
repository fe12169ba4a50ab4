import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding, RedactionPolicy } from "@keepsake/core";
import { randomToken, tempDir } from "@keepsake/testkit";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { judge, query } from "./support.js";

/** Tokens by their prefix, and what stands behind the name of a key or a password. */
const policy: RedactionPolicy = {
  id: "test",
  rules: ["tok", "named"],
  scan: (text) =>
    [
      ...[...text.matchAll(/(?<!\w)tok_[a-z0-9]{24}/g)].map(
        ({ index }): Finding => ({ start: index, end: index + 28, rule: "tok" }),
      ),
      ...[...text.matchAll(/\w*(?:api_key|password)": ["'](?!\$\{|\[REDACTED)([^"'\s]+)/gi)].map(
        ({ index, 0: all, 1: value = "" }): Finding => ({
          start: index + all.length - value.length,
          end: index + all.length,
          rule: "named",
        }),
      ),
    ].sort((a, b) => a.start - b.start),
};
const GONE = "[REDACTED:named]";

async function redacted(fill: (db: Database.Database) => void) {
  const dir = await tempDir();
  const file = join(dir.path, "a.db");
  const db = new Database(file);
  fill(db);
  db.close();
  const outcome = await sqlite().redact?.([{ pathInBundle: "sqlite/a.db", file }], policy);
  if (outcome === undefined) throw new Error("databases can be redacted");
  return { file, outcome, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

const secret = (): string => randomToken("tok_", 24);

describe("a bare value of a database", () => {
  it("is told by the name of its column, of its table, and by the cell beside it; what they do not tell stays", async () => {
    await using at = await redacted((db) => {
      db.exec(`CREATE TABLE accounts (service TEXT, api_key TEXT, password BLOB, checksum TEXT);
        CREATE TABLE settings (value TEXT, note TEXT, key TEXT PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE api_keys (id INTEGER PRIMARY KEY, key TEXT, owner TEXT);
        CREATE VIRTUAL TABLE f USING fts5(name, value)`);
      db.prepare("INSERT INTO accounts VALUES ('acme', 'k1', ?, 'c1')").run(Buffer.from("hunter2x"));
      db.exec(`UPDATE accounts SET api_key = 'Zk8vBn3c';
        INSERT INTO settings VALUES ('q7Wm2xR9', 'n1n1n1', 'ACME_API_KEY'), ('"hunter3y"', 'n2n2n2', 'db_password'),
          ('\${API_KEY}', 'n3n3n3', 'other_api_key'), ('c2c2c2c2', 'n4n4n4', 'checksum');
        INSERT INTO api_keys VALUES (1, 'tLp4Zk8v', 'anna-maria');
        INSERT INTO f VALUES ('smtp_password', 'hunter4z'), ('colour', 'lightblue')`);
    });
    expect(query(at.file, "SELECT service, api_key, CAST(password AS TEXT), checksum FROM accounts")).toEqual([
      ["acme", GONE, GONE, "c1"],
    ]);
    expect(query(at.file, "SELECT value, note, key FROM settings ORDER BY note")).toEqual([
      [GONE, "n1n1n1", "ACME_API_KEY"],
      [`"${GONE}"`, "n2n2n2", "db_password"],
      ["${API_KEY}", "n3n3n3", "other_api_key"],
      ["c2c2c2c2", "n4n4n4", "checksum"],
    ]);
    expect(query(at.file, "SELECT key, owner FROM api_keys")).toEqual([[GONE, "anna-maria"]]);
    expect(query(at.file, "SELECT name, value FROM f ORDER BY name")).toEqual([
      ["colour", "lightblue"],
      ["smtp_password", GONE],
    ]);
    expect(query(at.file, "SELECT count(*) FROM f WHERE f MATCH 'hunter4z'")).toEqual([[0]]);
    expect([at.outcome.matches, at.outcome.unscanned]).toEqual([{ named: 6 }, []]);
  });
});

describe("names of a schema", () => {
  it("lose their secrets and still mean each other: tables, columns, indexes, views, triggers, full-text tables", async () => {
    const [table, column, index, view, trigger, fts] = [secret(), secret(), secret(), secret(), secret(), secret()];
    await using at = await redacted((db) => {
      db.exec(`CREATE TABLE notes_${table} (id INTEGER PRIMARY KEY AUTOINCREMENT, "x-${column}" TEXT UNIQUE, n INTEGER);
        CREATE TABLE child (p INTEGER REFERENCES notes_${table} (id));
        CREATE INDEX ${index} ON NOTES_${table.toUpperCase()} (n);
        CREATE VIEW ${view} AS SELECT "x-${column}" AS c FROM notes_${table} WHERE n > 1;
        CREATE TRIGGER ${trigger} AFTER INSERT ON notes_${table} BEGIN UPDATE notes_${table} SET n = n + 1; END;
        CREATE VIRTUAL TABLE ${fts} USING fts5(body);
        INSERT INTO ${fts} VALUES ('apples and pears');
        INSERT INTO notes_${table} ("x-${column}", n) VALUES ('a', 1), ('b', 2); INSERT INTO child VALUES (1); ANALYZE`);
    });
    const raw = readFileSync(at.file).toString("latin1").toLowerCase();
    expect([table, column, index, view, trigger, fts].filter((one) => raw.includes(one.slice(4)))).toEqual([]);
    expect(judge(at.file)).toBe("ok");
    const named = (type: string): string =>
      String(query(at.file, `SELECT name FROM sqlite_schema WHERE type = '${type}'`)[0]);
    const tables = query(at.file, "SELECT name FROM sqlite_schema WHERE type = 'table'").flat().map(String);
    const notes = tables.find((one) => one.startsWith("notes_")) ?? "";
    expect(notes).toMatch(/^notes_REDACTED_tok(_\d)?$/);
    expect(query(at.file, `SELECT c FROM ${named("view")}`)).toEqual([["a"], ["b"]]);
    expect(query(at.file, "SELECT sql FROM sqlite_schema WHERE name = 'child'").flat()).toEqual([
      `CREATE TABLE child (p INTEGER REFERENCES ${notes} (id))`,
    ]);
    const words = tables.find((one) => /^REDACTED_tok(_\d)?$/.test(one)) ?? "";
    expect(query(at.file, `SELECT body FROM ${words} WHERE ${words} MATCH 'pears'`)).toEqual([["apples and pears"]]);
    // The next row gets the next number, and the trigger runs.
    const db = new Database(at.file);
    const { lastInsertRowid } = db.prepare(`INSERT INTO ${notes} (n) VALUES (5)`).run();
    expect([lastInsertRowid, db.prepare(`SELECT n FROM ${notes} WHERE id = 3`).pluck().get()]).toEqual([3, 6]);
    db.close();
    expect([at.outcome.matches, at.outcome.unscanned]).toEqual([{ tok: 6 }, []]);
    expect(JSON.stringify(at.outcome.facts)).not.toContain(table);
  });

  it("stay, with all of the database, where a name cannot be told from the rest of a statement", async () => {
    // In the statement the name has its quote twice.
    const name = `k"${secret().slice(4)}`;
    const odd: RedactionPolicy = {
      id: "odd",
      rules: ["odd"],
      scan: (text) =>
        text.includes(name) ? [{ start: text.indexOf(name), end: text.indexOf(name) + name.length, rule: "odd" }] : [],
    };
    await using dir = await tempDir();
    const file = join(dir.path, "a.db");
    const db = new Database(file);
    db.exec(
      `CREATE TABLE "${name.replace('"', '""')}" (a TEXT); INSERT INTO "${name.replace('"', '""')}" VALUES ('x')`,
    );
    db.close();
    const before = readFileSync(file);
    const outcome = await sqlite().redact?.([{ pathInBundle: "sqlite/a.db", file }], odd);
    expect(outcome?.unscanned).toEqual([{ path: "sqlite/a.db", reason: "not_rewritable" }]);
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { applySwap, type SwapPlan } from "@keepsake/files";
import { treeDigest } from "@keepsake/testkit";
import Database from "better-sqlite3";
import { load } from "sqlite-vec";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { bundleOf, restore, stage } from "./restoring.js";
import { judge, make, place, query, runKilled } from "./support.js";

const TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, text)";
const fill = (text: string, rows = 3): string =>
  `INSERT INTO t (text) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${String(rows)}) SELECT '${text}' FROM n`;
const texts = (file: string): unknown[] => query(file, "SELECT DISTINCT text FROM t ORDER BY text").flat();
const dump = (file: string): string => judge(file, ".dump");

describe("a database", () => {
  it.each(["wal", "delete"])("comes back as it was, in journal mode %s", async (mode) => {
    await using at = await place();
    const file = join(at.memory, "deep/a.db");
    const pragmas = `PRAGMA page_size = 8192; PRAGMA auto_vacuum = FULL; PRAGMA encoding = 'UTF-16be'; PRAGMA journal_mode = ${mode}`;
    make(file, `${TABLE}; ${fill("öld")}; PRAGMA user_version = 7; PRAGMA application_id = 9`, pragmas);
    chmodSync(file, 0o640);
    const facts = [
      "user_version",
      "application_id",
      "page_size",
      "auto_vacuum",
      "encoding",
      "journal_mode",
      "schema_version",
    ];
    const look = () => facts.map((pragma) => query(file, `PRAGMA ${pragma}`)[0]);
    const before = { facts: look(), dump: dump(file), tree: await treeDigest(at.memory, { mtimes: "files" }) };
    const bundle = await bundleOf(at, sqlite());
    const captured = readFileSync(bundle.entries[0]?.file ?? "");

    rmSync(join(at.memory, "deep"), { recursive: true });
    const plan = await restore(at, sqlite(), bundle);
    expect(plan.changes).toEqual([{ action: "create", path: "deep/a.db" }]);
    const bytes = readFileSync(file);
    const { mtimeMs, mode: permissions } = statSync(file);
    expect([permissions & 0o777, Math.abs(mtimeMs - (bundle.entries[0]?.meta.mtimeMs ?? 0)) < 0.002]).toEqual([
      0o640,
      true,
    ]);
    // But for the two bytes that say how it is written, it is what the bundle holds.
    expect([bytes[18], bytes[19]]).toEqual(mode === "wal" ? [2, 2] : [1, 1]);
    expect(Buffer.concat([bytes.subarray(0, 18), bytes.subarray(20)])).toEqual(
      Buffer.concat([captured.subarray(0, 18), captured.subarray(20)]),
    );
    expect({ facts: look(), dump: dump(file) }).toEqual({ facts: before.facts, dump: before.dump });
    expect(Object.keys(await treeDigest(at.memory))).toEqual(Object.keys(before.tree));
  });

  it("that is as the bundle says is left alone", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), `${TABLE}; ${fill("same")}`, "PRAGMA journal_mode = WAL");
    const bundle = await bundleOf(at, sqlite());
    const { ino } = statSync(file);
    expect((await restore(at, sqlite(), bundle)).changes).toEqual([]);
    chmodSync(file, 0o600);
    expect((await restore(at, sqlite(), bundle)).changes).toEqual([{ action: "set_attributes", path: "a.db" }]);
    expect([statSync(file).ino, statSync(file).mode & 0o777]).toEqual([ino, 0o644]);
  });

  it.each(["wal", "delete"])(
    "gains nothing from what a killed writer in mode %s left beside the old one",
    async (mode) => {
      await using at = await place();
      const file = join(at.memory, "a.db");
      make(file, `${TABLE}; ${fill("restored", 1000)}`, `PRAGMA journal_mode = ${mode}`);
      const bundle = await bundleOf(at, sqlite());
      rmSync(file);
      runKilled(mode, file);
      if (mode === "wal") {
        // What copying the file back does: rows come out of the log that never were in it.
        const naive = join(at.dir, "naive.db");
        copyFileSync(bundle.entries[0]?.file ?? "", naive);
        copyFileSync(`${file}-wal`, `${naive}-wal`);
        const header = readFileSync(naive);
        writeFileSync(naive, Buffer.concat([header.subarray(0, 18), Buffer.from([2, 2]), header.subarray(20)]));
        expect(judge(naive, "SELECT count(*) FROM t WHERE text = 'kept'")).toBe("1000");
      }
      await restore(at, sqlite(), bundle);
      expect(existsSync(`${file}-journal`) || existsSync(`${file}-wal`)).toBe(false);
      expect(texts(file)).toEqual(["restored"]);
      expect(judge(file)).toBe("ok");
    },
  );

  it("gains nothing from a writer that came and was killed between stage and commit", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), `${TABLE}; ${fill("restored")}`, "PRAGMA journal_mode = WAL");
    const bundle = await bundleOf(at, sqlite());
    make(file, fill("later"));
    await using staged = await stage(at, sqlite(), bundle);
    rmSync(file);
    runKilled("wal", file);
    const between = await treeDigest(at.memory);
    await staged.commit();
    expect(texts(file)).toEqual(["restored"]);
    await staged.rollback();
    expect(Object.keys(await treeDigest(at.memory))).toEqual(Object.keys(between));
    expect(texts(file)).toEqual(["kept"]);
  });

  it("that was created later goes, its log too; what the snapshot had left out stays", async () => {
    await using at = await place();
    make(join(at.memory, "a.db"), TABLE);
    writeFileSync(
      join(at.memory, "broken.db"),
      Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(4080, 0xff)]),
    );
    const bundle = await bundleOf(at, sqlite());
    expect(bundle.omitted.map(({ path }) => path)).toEqual(["broken.db"]);
    runKilled("wal", join(at.memory, "sub/../later.db"));
    rmSync(join(at.memory, "broken.db"));
    make(join(at.memory, "broken.db"), TABLE);
    writeFileSync(join(at.memory, "notes.md"), "not mine");
    const plan = await restore(at, sqlite(), bundle);
    expect(plan.changes).toEqual([{ action: "delete", path: "later.db" }]);
    expect(Object.keys(await treeDigest(at.memory))).toEqual(["a.db", "broken.db", "notes.md"]);
  });

  it("may be one without pages, or have a name that SQLite's binding cuts", async () => {
    await using at = await place();
    writeFileSync(join(at.memory, "empty.db"), "");
    make(join(at.dir, "x.db"), `${TABLE}; ${fill("one")}`);
    renameSync(join(at.dir, "x.db"), join(at.memory, "ends in space "));
    const source = sqlite({ required: ["empty.db"] });
    const bundle = await bundleOf(at, source);
    const before = await treeDigest(at.memory);
    rmSync(join(at.memory, "ends in space "));
    make(join(at.memory, "empty.db"), TABLE);
    await restore(at, source, bundle);
    expect(await treeDigest(at.memory)).toEqual(before);
  });

  it("full-text and vector tables need no extension here, and work with theirs", async () => {
    await using at = await place();
    const file = join(at.memory, "search.db");
    const agent = new Database(file);
    load(agent);
    agent.exec(`
      CREATE VIRTUAL TABLE notes USING fts5(body); INSERT INTO notes VALUES ('hello world'), ('good night');
      CREATE TABLE doc (id INTEGER PRIMARY KEY, body); INSERT INTO doc VALUES (1, 'an external text');
      CREATE VIRTUAL TABLE external USING fts5(body, content = 'doc', content_rowid = 'id');
      INSERT INTO external (external) VALUES ('rebuild');
      CREATE VIRTUAL TABLE vectors USING vec0(embedding float[4]);
      INSERT INTO vectors (rowid, embedding) VALUES (1, '[1, 0, 0, 0]'), (2, '[0, 1, 0, 0]');
    `);
    agent.close();
    const bundle = await bundleOf(at, sqlite());
    make(file, "DROP TABLE doc; DELETE FROM notes");
    await restore(at, sqlite(), bundle);
    const restored = new Database(file);
    load(restored);
    const ask = (sql: string): unknown => restored.prepare(sql).pluck().all();
    expect(ask("SELECT body FROM notes WHERE notes MATCH 'hello'")).toEqual(["hello world"]);
    expect(ask("SELECT rowid FROM external WHERE external MATCH 'text'")).toEqual([1]);
    expect(ask("SELECT rowid FROM vectors WHERE embedding MATCH '[0, 1, 0, 0.1]' ORDER BY distance LIMIT 1")).toEqual([
      2,
    ]);
    restored.close();
  });
});

describe("what is in the way", () => {
  it.each(["nothing", "file", "link", "directory"])("of a folder or a database: %s", async (kind) => {
    await using at = await place();
    const file = make(join(at.memory, "data/sub/a.db"), `${TABLE}; ${fill("restored")}`);
    const bundle = await bundleOf(at, sqlite());
    const elsewhere = join(at.dir, "elsewhere");
    make(join(elsewhere, "sub/a.db"), `${TABLE}; ${fill("elsewhere")}`);
    writeFileSync(join(elsewhere, "sub/a.db-wal"), "");
    const outside = await treeDigest(elsewhere);
    rmSync(join(at.memory, "data"), { recursive: true });
    if (kind === "file") writeFileSync(join(at.memory, "data"), "a file");
    if (kind === "link") symlinkSync(elsewhere, join(at.memory, "data"));
    if (kind === "directory") mkdirSync(join(at.memory, "data/sub/a.db/inner"), { recursive: true });
    const before = await treeDigest(at.memory);

    await using staged = await stage(at, sqlite(), bundle);
    expect(await treeDigest(at.memory)).toEqual(before);
    await staged.commit();
    expect(texts(file)).toEqual(["restored"]);
    expect(await treeDigest(elsewhere)).toEqual(outside);
    await staged.rollback();
    expect(withoutFolderTimes(await treeDigest(at.memory))).toEqual(withoutFolderTimes(before));
    expect(await treeDigest(elsewhere)).toEqual(outside);
  });

  it("of a database may be a link to another, which stays", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), `${TABLE}; ${fill("restored")}`);
    const bundle = await bundleOf(at, sqlite());
    const other = make(join(at.dir, "other.db"), `${TABLE}; ${fill("other")}`);
    rmSync(file);
    symlinkSync(other, file);
    await restore(at, sqlite(), bundle);
    expect([texts(file), texts(other)]).toEqual([["restored"], ["other"]]);
  });
});

describe("a restore of several databases", () => {
  async function scene(at: Awaited<ReturnType<typeof place>>) {
    for (const name of ["a.db", "gone/b.db", "same.db"]) make(join(at.memory, name), `${TABLE}; ${fill("restored")}`);
    chmodSync(join(at.memory, "same.db"), 0o640);
    const bundle = await bundleOf(at, sqlite());
    rmSync(join(at.memory, "gone"), { recursive: true });
    rmSync(join(at.memory, "a.db"));
    runKilled("wal", join(at.memory, "a.db"));
    runKilled("delete", join(at.memory, "later.db"));
    chmodSync(join(at.memory, "same.db"), 0o600);
    return { bundle, before: await treeDigest(at.memory) };
  }

  it("is wholly done or wholly taken back, twice each, by other processes", async () => {
    await using at = await place();
    const { bundle, before } = await scene(at);
    await using staged = await stage(at, sqlite(), bundle);
    expect(await treeDigest(at.memory)).toEqual(before);
    await staged.commit();
    const after = await treeDigest(at.memory, { mtimes: "files" });
    expect(Object.keys(after)).toEqual(["a.db", "gone", "gone/b.db", "same.db"]);
    await staged.commit();
    expect(await treeDigest(at.memory, { mtimes: "files" })).toEqual(after);
    await staged.rollback();
    expect(await treeDigest(at.memory)).toEqual(before);
    await staged.rollback();
    expect(await treeDigest(at.memory)).toEqual(before);
    await staged.commit();
    expect(await treeDigest(at.memory, { mtimes: "files" })).toEqual(after);
  });

  it("is taken back from every step it may have stopped at", async () => {
    await using at = await place();
    const { bundle, before } = await scene(at);
    for (let done = 0; ; done++) {
      await using staged = await stage(at, sqlite(), bundle);
      const { steps } = (staged.plan.data as unknown as { swap: SwapPlan }).swap;
      if (done > steps.length) break;
      await applySwap({ steps: steps.slice(0, done) });
      await staged.rollback();
      expect(await treeDigest(at.memory), `after ${String(done)} steps`).toEqual(before);
    }
  });

  it("does not take the log of a restored and opened database for the old one's", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), `${TABLE}; ${fill("restored")}`, "PRAGMA journal_mode = WAL");
    const bundle = await bundleOf(at, sqlite());
    make(file, "UPDATE t SET text = 'old'");
    await using staged = await stage(at, sqlite(), bundle);
    await staged.commit();
    const agent = new Database(file);
    agent.exec(fill("since"));
    await staged.commit();
    expect(existsSync(`${file}-wal`)).toBe(true);
    expect(texts(file)).toEqual(["restored", "since"]);
    await staged.rollback();
    agent.close();
    expect(texts(file)).toEqual(["old"]);
    expect(judge(file)).toBe("ok");
  });

  it("stops when it is told to, and can be taken back", async () => {
    await using at = await place();
    const { bundle, before } = await scene(at);
    await using staged = await stage(at, sqlite(), bundle);
    const signal = AbortSignal.abort();
    await expect(staged.commit({ signal })).rejects.toMatchObject({ name: "AbortError" });
    await staged.rollback();
    expect(await treeDigest(at.memory)).toEqual(before);
  });
});

describe("a bundle's database that is not sound", () => {
  it.each([
    ["flipped pages", (bytes: Buffer) => bytes.fill(0xab, 4096 * 2, 4096 * 4), "E_DATABASE_DAMAGED"],
    ["a cut end", (bytes: Buffer) => bytes.subarray(0, 4096 * 3 + 100), "E_DATABASE_DAMAGED"],
    ["no database", () => Buffer.from("something else"), "E_DATABASE_DAMAGED"],
    ["too few rows", undefined, "E_INTEGRITY"],
  ])("is refused for %s before anything live changes", async (_why, damage, code) => {
    await using at = await place();
    const file = make(join(at.memory, "z.db"), `${TABLE}; ${fill("x".repeat(900), 60)}`);
    make(join(at.memory, "a.db"), `${TABLE}; ${fill("restored")}`);
    const bundle = await bundleOf(at, sqlite());
    const entry = bundle.entries.find(({ path }) => path === "z.db")?.file ?? "";
    if (damage === undefined) make(entry, "DELETE FROM t WHERE id = 7");
    else writeFileSync(entry, damage(readFileSync(entry)));
    make(file, "UPDATE t SET text = 'now'");
    make(join(at.memory, "a.db"), "UPDATE t SET text = 'now'");
    const before = await treeDigest(at.memory);
    await expect(stage(at, sqlite(), bundle)).rejects.toMatchObject({ code, context: { database: "z.db" } });
    expect(await treeDigest(at.memory)).toEqual(before);
  });

  it("is refused when its index of words disagrees with its text, unless it did when the snapshot was taken", async () => {
    await using at = await place();
    const file = make(
      join(at.memory, "search.db"),
      "CREATE VIRTUAL TABLE notes USING fts5(body); INSERT INTO notes VALUES ('hello world'), ('good night')",
    );
    const disagree = (at: string): void => {
      const database = new Database(at);
      // Else SQLite keeps its hands off the tables of an index.
      database.unsafeMode();
      database.exec("UPDATE notes_content SET c0 = 'something else' WHERE id = 1");
      database.close();
    };
    const bundle = await bundleOf(at, sqlite());
    disagree(bundle.entries[0]?.file ?? "");
    disagree(file);
    const broken = await bundleOf(at, sqlite());
    make(file, "INSERT INTO notes VALUES ('now')");
    const before = await treeDigest(at.memory);
    await expect(stage(at, sqlite(), bundle)).rejects.toMatchObject({
      code: "E_DATABASE_DAMAGED",
      message: expect.stringContaining("checksum mismatch") as string,
    });
    expect(await treeDigest(at.memory)).toEqual(before);
    const plan = await restore(at, sqlite(), broken);
    expect(plan.notices).toEqual([expect.stringContaining("checksum mismatch")]);
    expect(query(file, "SELECT body FROM notes")).toEqual([["something else"], ["good night"]]);
  });

  it("is refused when it is a link or a folder", async () => {
    await using at = await place();
    make(join(at.memory, "a.db"), TABLE);
    const bundle = await bundleOf(at, sqlite());
    const [entry] = bundle.entries;
    if (entry === undefined) throw new Error("nothing captured");
    const { file: _file, ...rest } = entry;
    const folder = { ...rest, meta: { ...entry.meta, type: "directory" as const } };
    await expect(stage(at, sqlite(), { ...bundle, entries: [folder] })).rejects.toMatchObject({ code: "E_MANIFEST" });
  });
});

function withoutFolderTimes(tree: Awaited<ReturnType<typeof treeDigest>>) {
  return Object.entries(tree).map(([path, node]) => [path, node.type === "directory" ? { ...node, mtimeMs: 0 } : node]);
}

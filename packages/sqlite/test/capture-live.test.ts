import { once } from "node:events";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import Database from "better-sqlite3";
import { canTellHolders, identityOf, lockHolders } from "@keepsake/files";
import { load } from "sqlite-vec";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { WalDatabase } from "../src/process/capture/wal-database.js";
import { bytesOf, capture, collectEntries, filesOf, judge, make, place, query, start } from "./support.js";

const TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, text); INSERT INTO t (text) VALUES ('one'), ('two')";

/** Rows of the two tables that the writer fills in one transaction. */
function totals(file: string): number[] {
  return ["credit", "debit"].flatMap((table) => query(file, `SELECT count(*) FROM ${table}`).flat() as number[]);
}

describe("a database that is written all the time", () => {
  it("shows that copying its files tears transactions apart", async () => {
    await using at = await place();
    const file = join(at.memory, "a.db");
    await using writer = await start("writer.mjs", "wal", file);
    const torn: unknown[] = [];
    for (let n = 0; n < 40 && torn.length === 0; n++) {
      const naive = join(at.dir, `naive-${String(n)}.db`);
      copyFileSync(file, naive);
      try {
        const [credit, debit] = totals(naive);
        const now = (await writer.ask("count")) as string;
        if (credit !== debit || `count ${String(credit)}` !== now) torn.push(credit);
      } catch (error) {
        torn.push(error);
      }
    }
    expect(torn).not.toEqual([]);
  });

  it.each(["wal", "delete"])("is whole in every copy, and its writer never fails, in mode %s", async (mode) => {
    await using at = await place();
    const files = ["a.db", "b.db"].map((name) => join(at.memory, name));
    await using writer = await start("writer.mjs", mode, ...files);
    let last = 0;
    for (let n = 0; n < 5; n++) {
      const { entries, guarantee } = await capture(sqlite({ holdTimeoutMs: 20_000 }), at.target());
      expect(guarantee).toBe("held");
      const copies = Object.values(filesOf(entries)).map(({ file }) => file);
      const [a = [], b = []] = copies.map(totals);
      expect(a[0]).toBe(a[1]);
      expect(b[0]).toBe(b[1]);
      // One instant of both: the writer fills them in turn.
      expect([0, 1]).toContain((a[0] ?? 0) - (b[0] ?? 0));
      expect(a[0]).toBeGreaterThan(last);
      last = a[0] ?? 0;
      for (const copy of copies) expect(judge(copy)).toBe("ok");
      // It goes on.
      await writer.ask("count");
    }
    expect(writer.said.filter((message) => String(message).startsWith("failed"))).toEqual([]);
  });

  // Both would take the other for one that stays, and leave the log: seen in one of ten rounds.
  it.runIf(spawnSync("sqlite3", ["-version"]).status === 0)(
    "leaves no log where its last writer ends at the same time as the reading of it",
    async () => {
      await using at = await place();
      const file = join(at.memory, "a.db");
      make(file, "PRAGMA journal_mode = WAL", TABLE);
      for (let round = 0; round < 60; round++) {
        const writer = spawn("sqlite3", [file, "-cmd", ".timeout 5000", "INSERT INTO t (text) VALUES ('three')"]);
        const ended = once(writer, "exit");
        while (writer.exitCode === null) {
          openAndClose(file);
          await nextTurn();
        }
        await ended;
        expect(readdirSync(at.memory)).toEqual(["a.db"]);
      }
    },
  );

  // Two who close at the same time, as it is where processors are few: one has been stopped before it lets go of its lock.
  it.runIf(canTellHolders())("waits for one that does not get to run, and may be about to leave its log", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), TABLE, "PRAGMA journal_mode = WAL");
    await using holder = await start("holder.mjs", file, "SELECT * FROM t");
    const session = await sqlite().open(at.target());
    await session.pin();
    holder.child.kill("SIGSTOP");
    while (stateOf(holder.pid) !== "T") await nextTurn();
    const closed = session[Symbol.asyncDispose]();
    const database = identityOf(file);
    while (lockHolders(database === undefined ? [] : [database]).size > 1) await nextTurn();
    await holder[Symbol.asyncDispose]();
    await closed;
    expect(readdirSync(at.memory)).toEqual(["a.db"]);
  });
});

/** The state letter of proc_pid_stat(5). */
function stateOf(pid: number): string | undefined {
  return /\) (\S)/.exec(readFileSync(`/proc/${String(pid)}/stat`, "latin1"))?.[1];
}

/** One short look at a database with a log. */
function openAndClose(file: string): void {
  const database = new WalDatabase(file);
  try {
    database.hold();
    database.release();
    database.pin();
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^SQLITE_BUSY/) as string });
  } finally {
    database.close();
  }
}

describe("a hold", () => {
  it.each(["wal", "delete"])("stops commits and lets them go on when it is released, in mode %s", async (mode) => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), TABLE, `PRAGMA journal_mode = ${mode}`);
    const agent = new Database(file, { timeout: 0 });
    await using session = await sqlite().open(at.target());
    const hold = await session.hold?.();
    expect(() => agent.exec("INSERT INTO t (text) VALUES ('no')")).toThrow("locked");
    await hold?.[Symbol.asyncDispose]();
    await hold?.[Symbol.asyncDispose]();
    agent.exec("INSERT INTO t (text) VALUES ('yes')");
    expect(query(file, "SELECT count(*) FROM t")).toEqual([[3]]);
    agent.close();
  });

  it("pins what is then copied, whatever is committed afterwards", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), TABLE, "PRAGMA journal_mode = WAL");
    await using session = await sqlite().open(at.target());
    const hold = await session.hold?.();
    expect(await session.pin()).toBe("held");
    await hold?.[Symbol.asyncDispose]();
    make(file, "INSERT INTO t (text) VALUES ('later')");
    const copy = filesOf(await collectEntries(session))["a.db"]?.file ?? "";
    expect(query(copy, "SELECT text FROM t")).toEqual([["one"], ["two"]]);
  });

  it("lets a copy begin by itself when it was pinned, and not before", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), TABLE, "PRAGMA journal_mode = WAL");
    const target = at.target();
    await using session = await sqlite().open(target);
    const unpinned = await session.hold?.();
    await unpinned?.[Symbol.asyncDispose]();
    // A copy that had begun would be there: it takes fewer turns than these questions.
    for (let question = 0; question < 20; question++) await session.fence?.();
    expect(readdirSync(target.scratchDir)).toEqual([]);
    make(file, "INSERT INTO t (text) VALUES ('between')");
    const hold = await session.hold?.();
    await session.pin();
    expect(readdirSync(target.scratchDir)).toEqual([]);
    await hold?.[Symbol.asyncDispose]();
    await expect.poll(() => readdirSync(target.scratchDir)).toContain("0.sqlite");
    const copy = filesOf(await collectEntries(session))["a.db"]?.file ?? "";
    expect(query(copy, "SELECT text FROM t")).toEqual([["one"], ["two"], ["between"]]);
  });

  it.each(["wal", "delete"])("that cannot be had names the database, and holds none, in mode %s", async (mode) => {
    await using at = await place();
    const free = make(join(at.memory, "a.db"), TABLE, `PRAGMA journal_mode = ${mode}`);
    const busy = make(join(at.memory, "b.db"), TABLE, `PRAGMA journal_mode = ${mode}`);
    await using holder = await start("holder.mjs", busy, mode === "wal" ? "BEGIN IMMEDIATE" : "BEGIN EXCLUSIVE");
    await using session = await sqlite({ holdTimeoutMs: 50 }).open(at.target());
    await expect(session.hold?.()).rejects.toMatchObject({ code: "E_SOURCE_BUSY", context: { database: "b.db" } });
    make(free, "INSERT INTO t (text) VALUES ('free')");
    await holder[Symbol.asyncDispose]();
    const hold = await session.hold?.();
    await hold?.[Symbol.asyncDispose]();
  });

  it("ends by itself when it is not released, and says so", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), TABLE, "PRAGMA journal_mode = WAL");
    await using session = await sqlite().open(at.target());
    const hold = await session.hold?.();
    make(file, "PRAGMA busy_timeout = 20000; INSERT INTO t (text) VALUES ('after the limit')");
    await expect(session.pin()).rejects.toMatchObject({ code: "E_SOURCE_BUSY", context: { limit_ms: 2000 } });
    await hold?.[Symbol.asyncDispose]();
  });
});

describe("a capture", () => {
  it("leaves the event loop free, and stops when it is told to", async () => {
    await using at = await place();
    const big = `CREATE TABLE t (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) INSERT INTO t SELECT randomblob(1000) FROM n`;
    const file = make(join(at.memory, "big.db"), big, "PRAGMA journal_mode = WAL");
    const before = bytesOf(at.memory);
    const aborting = new AbortController();
    {
      await using session = await sqlite().open(at.target());
      await session.pin();
      const copying = collectEntries(session, aborting.signal);
      let turns = 0;
      while (turns < 3) {
        await new Promise((resolve) => setImmediate(resolve));
        turns++;
      }
      aborting.abort();
      await expect(copying).rejects.toMatchObject({ name: "AbortError" });
    }
    expect(bytesOf(at.memory)).toEqual(before);
    make(file, "DELETE FROM t WHERE rowid = 1");
  });

  it("stops when it is told to before it begins", async () => {
    await using at = await place();
    make(join(at.memory, "a.db"), TABLE);
    const signal = AbortSignal.abort();
    await expect(sqlite().open(at.target(), { signal })).rejects.toMatchObject({ name: "AbortError" });
  });

  it("needs no extension for full-text and vector tables", async () => {
    await using at = await place();
    const agent = new Database(join(at.memory, "search.db"));
    load(agent);
    agent.exec(`
      CREATE VIRTUAL TABLE notes USING fts5(body); INSERT INTO notes VALUES ('hello world');
      CREATE VIRTUAL TABLE vectors USING vec0(embedding float[4]);
      INSERT INTO vectors (rowid, embedding) VALUES (1, '[1, 0, 0, 0]');
    `);
    const { entries } = await capture(sqlite(), at.target());
    agent.close();
    const entry = filesOf(entries)["search.db"];
    expect(entry?.facts?.["uncounted"]).toEqual(["notes", "vectors"]);
    expect(entry?.facts?.["row_counts"]).toMatchObject({ notes_content: 1, vectors_rowids: 1 });
    const copy = new Database(entry?.file ?? "");
    load(copy);
    expect(copy.prepare("SELECT body FROM notes WHERE notes MATCH 'hello'").pluck().all()).toEqual(["hello world"]);
    expect(
      copy.prepare("SELECT rowid FROM vectors WHERE embedding MATCH '[1, 0, 0, 0]' AND k = 1").pluck().all(),
    ).toEqual([1]);
    copy.close();
  });
});

describe("permissions", () => {
  const other = ["--reuid=65534", "--regid=65534", "--clear-groups"];
  const program = join(import.meta.dirname, "programs/capture-as-other.mjs");

  /** As root there are no permissions: another user captures then. */
  function captureAsOther(memory: string, scratch: string): unknown {
    const url = new URL("../dist/index.js", import.meta.url).href;
    const args = [program, url, memory, scratch];
    const root = process.getuid?.() === 0;
    const { stdout, stderr } = root
      ? spawnSync("setpriv", [...other, process.execPath, ...args], { encoding: "utf8" })
      : spawnSync(process.execPath, args, { encoding: "utf8" });
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout);
  }

  it("to read are needed, and what lacks them is named", async () => {
    await using at = await place();
    make(join(at.memory, "good.db"), TABLE);
    make(join(at.memory, "declared.db"), TABLE);
    for (const dir of [at.dir, at.memory]) chmodSync(dir, 0o755);
    chmodSync(join(at.memory, "declared.db"), 0o000);
    mkdirSync(join(at.dir, "scratch"));
    chmodSync(join(at.dir, "scratch"), 0o777);
    expect(captureAsOther(at.memory, join(at.dir, "scratch"))).toEqual({
      "good.db": "file",
      "declared.db": "unreadable E_PERMISSION",
    });
  });

  it.each(["wal", "delete"])("to write are not, in mode %s", async (mode) => {
    await using at = await place();
    make(join(at.memory, "good.db"), TABLE, `PRAGMA journal_mode = ${mode}`);
    chmodSync(at.dir, 0o755);
    mkdirSync(join(at.dir, "scratch"));
    chmodSync(join(at.dir, "scratch"), 0o777);
    chmodSync(join(at.memory, "good.db"), 0o444);
    chmodSync(at.memory, 0o555);
    const before = bytesOf(at.memory);
    const options = { "good.db": "file", "declared.db": "absent" };
    expect(captureAsOther(at.memory, join(at.dir, "scratch"))).toEqual(options);
    expect(bytesOf(at.memory)).toEqual(before);
    chmodSync(at.memory, 0o755);
    expect(execFileSync("sqlite3", [join(at.dir, "scratch/0.sqlite"), "SELECT count(*) FROM t"]).toString()).toBe(
      "2\n",
    );
  });
});

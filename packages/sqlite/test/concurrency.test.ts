import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, existsSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { explain } from "../src/process/capture/omitted.js";
import { keepsakeErrorOf } from "../src/process/sqlite-error.js";
import {
  bytesOf,
  capture,
  captureUnprivileged,
  collectEntries,
  filesOf,
  judge,
  make,
  place,
  query,
  runKilled,
  start,
} from "./support.js";

const TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, text); INSERT INTO t (text) VALUES ('one'), ('two')";

function countOf(file: string, table: string): number {
  return (query(file, `SELECT count(*) FROM ${table}`) as [[number]])[0][0];
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new TypeError("It went well.");
}

describe("writers", () => {
  it.each(["wal", "delete", "truncate", "persist"])(
    "go on in mode %s, and the copies show one instant",
    async (mode) => {
      await using at = await place();
      const names = ["a.db", "b.db", "c.db"];
      await using writer = await start("writer.mjs", mode, ...names.map((name) => join(at.memory, name)));
      for (let round = 0; round < 4; round++) {
        const { entries } = await capture(sqlite({ holdTimeoutMs: 20_000 }), at.target());
        const files = filesOf(entries);
        const counts = names.map((name) => {
          const file = files[name]?.file ?? "";
          expect(judge(file)).toBe("ok");
          expect(countOf(file, "debit")).toBe(countOf(file, "credit"));
          return countOf(file, "credit");
        });
        // The writer goes a, b, c, a, …: at any instant each is as far as the one before it, or one behind.
        expect(counts).toEqual([...counts].sort((x, y) => y - x));
        expect((counts[0] ?? 0) - (counts[2] ?? 0)).toBeLessThanOrEqual(1);
      }
      expect(writer.said.filter((message) => String(message).startsWith("failed"))).toEqual([]);
    },
  );

  it("are at different instants in backups made one after the other", async () => {
    await using at = await place();
    const names = ["a.db", "b.db"];
    await using writer = await start("writer.mjs", "wal", ...names.map((name) => join(at.memory, name)));
    const counts: number[] = [];
    for (const name of names.toReversed()) {
      const live = new Database(join(at.memory, name), { readonly: true });
      await live.backup(join(at.dir, name));
      live.close();
      counts.push(countOf(join(at.dir, name), "credit"));
      await writer.ask("count");
    }
    expect(counts[0]).toBeLessThan(counts[1] ?? 0);
  });

  it.each([
    ["wal", "BEGIN IMMEDIATE"],
    ["delete", "BEGIN EXCLUSIVE"],
  ])("that do not yield in mode %s are named, and nothing stays held", async (mode, begin) => {
    await using at = await place();
    make(join(at.memory, "free.db"), TABLE);
    const file = make(join(at.memory, "held.db"), TABLE, `PRAGMA journal_mode = ${mode}`);
    await using holder = await start("holder.mjs", file, begin);
    await using session = await sqlite({ holdTimeoutMs: 20 }).open(at.target());
    await expect(session.hold?.()).rejects.toMatchObject({ code: "E_SOURCE_BUSY", context: { database: "held.db" } });
    make(join(at.memory, "free.db"), "INSERT INTO t (text) VALUES ('three')");
    expect(holder.child.exitCode).toBe(null);
  });

  it("are let go when nobody releases them", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), TABLE, "PRAGMA journal_mode = WAL");
    await using writer = await start("holder.mjs", file);
    await using session = await sqlite().open(at.target());
    const hold = await session.hold?.();
    const sql = "INSERT INTO t (text) VALUES ('three') RETURNING id";
    expect(await writer.ask({ sql })).toEqual([{ id: 3 }]);
    await expect(hold?.[Symbol.asyncDispose]()).rejects.toMatchObject({ code: "E_SOURCE_BUSY" });
  });

  it("show in the fence until all is pinned, held or not", async () => {
    await using at = await place();
    const [wal, plain] = ["PRAGMA journal_mode = WAL", ""].map((before, n) =>
      make(join(at.memory, `${String(n)}.db`), TABLE, before),
    );
    for (const file of [wal, plain]) {
      await using session = await sqlite().open(at.target());
      const before = await session.fence?.();
      expect(await session.fence?.()).toBe(before);
      make(file ?? "", "INSERT INTO t (text) VALUES ('new')");
      await session.pin();
      expect(await session.fence?.()).not.toBe(before);
    }
    await using session = await sqlite().open(at.target());
    await session.pin();
    const pinned = await session.fence?.();
    make(wal ?? "", "INSERT INTO t (text) VALUES ('later')");
    expect(await session.fence?.()).toBe(pinned);
  });
});

describe("what happens during a capture", () => {
  it("an agent that ends leaves no log behind, as if nobody had been there", async () => {
    await using at = await place();
    const agent = new Database(join(at.memory, "a.db"));
    agent.pragma("journal_mode = WAL");
    agent.exec(TABLE);
    await using holder = await start("holder.mjs", join(at.memory, "a.db"));
    agent.close();
    {
      await using session = await sqlite().open(at.target());
      const hold = await session.hold?.();
      await session.pin();
      await hold?.[Symbol.asyncDispose]();
      const ended = once(holder.child, "exit");
      holder.child.disconnect();
      await ended;
    }
    expect(readdirSync(at.memory)).toEqual(["a.db"]);
  });

  it("a writer that is killed in a transaction leaves its journal to its owner", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), TABLE);
    await using holder = await start("holder.mjs", file, "PRAGMA cache_size = 1; BEGIN");
    await holder.ask({ sql: "UPDATE t SET text = zeroblob(100000) RETURNING id" });
    await using session = await sqlite({ holdTimeoutMs: 50 }).open(at.target());
    await holder[Symbol.asyncDispose]();
    const before = bytesOf(at.memory);
    expect(Object.keys(before)).toEqual(expect.arrayContaining(["a.db", "a.db-journal"]));
    await expect(session.hold?.()).rejects.toMatchObject({ code: "E_SOURCE_BUSY", context: { database: "a.db" } });
    expect(bytesOf(at.memory)).toEqual(before);
    const { entries } = await capture(sqlite(), at.target());
    expect(query(filesOf(entries)["a.db"]?.file ?? "", "SELECT text FROM t")).toEqual([["one"], ["two"]]);
    expect(bytesOf(at.memory)).toEqual(before);
  });

  it("a database that goes is vanished, and one that another takes the place of has changed", async () => {
    await using at = await place();
    const [gone, replaced] = ["gone.db", "replaced.db"].map((name) => make(join(at.memory, name), TABLE));
    const other = make(join(at.dir, "other.db"), TABLE);
    {
      await using session = await sqlite().open(at.target());
      rmSync(gone ?? "");
      const hold = await session.hold?.();
      await session.pin();
      await hold?.[Symbol.asyncDispose]();
      expect((await collectEntries(session)).map((entry) => [entry.path, entry.type])).toEqual([
        ["gone.db", "omitted"],
        ["replaced.db", "file"],
      ]);
    }
    await using session = await sqlite().open(at.target());
    renameSync(other, replaced ?? "");
    const hold = await session.hold?.();
    await expect(session.pin()).rejects.toMatchObject({
      code: "E_SOURCE_CHANGED",
      context: { database: "replaced.db" },
    });
    await hold?.[Symbol.asyncDispose]();
  });

  it("a database whose name goes between opening it and its first reading is vanished, or has changed", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), TABLE, "PRAGMA journal_mode = wal");
    const connection = new Database(file);
    rmSync(file);
    const read = (): unknown => connection.prepare("SELECT * FROM t").all();
    const error = thrownBy(read);
    expect(error).toMatchObject({ code: "SQLITE_IOERR_FSTAT" });
    expect(explain(error, file)).toEqual({ status: "omitted", reason: "vanished" });
    make(file, TABLE);
    expect(explain(error, file)).toBeUndefined();
    expect(keepsakeErrorOf(error, "It could not be read").code).toBe("E_SOURCE_CHANGED");
    connection.close();
  });

  it.each(["wal", "delete"])("it can be let go of, and held and pinned anew, in mode %s", async (mode) => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), TABLE, `PRAGMA journal_mode = ${mode}`);
    const before = readdirSync(at.memory);
    {
      await using session = await sqlite().open(at.target());
      for (const text of ["three", "four"]) {
        const hold = await session.hold?.();
        await session.pin();
        await hold?.[Symbol.asyncDispose]();
        await session.unpin?.();
        make(file, `INSERT INTO t (text) VALUES ('${text}')`);
      }
      const hold = await session.hold?.();
      expect(await session.pin()).toBe("held");
      await hold?.[Symbol.asyncDispose]();
      const copy = filesOf(await collectEntries(session))["a.db"]?.file ?? "";
      expect(query(copy, "SELECT text FROM t")).toEqual([["one"], ["two"], ["three"], ["four"]]);
    }
    expect(readdirSync(at.memory)).toEqual(before);
  });
});

describe("the agent's own process", () => {
  const isLocked = (file: string) =>
    execFileSync(process.execPath, [fileURLToPath(new URL("programs/try-lock.mjs", import.meta.url)), file], {
      encoding: "utf8",
    });

  it("keeps its locks, which reading the file in that process takes away", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), TABLE);
    const agent = new Database(file);
    agent.exec("BEGIN IMMEDIATE");
    expect(isLocked(file)).toBe("locked");
    await expect(capture(sqlite(), at.target())).rejects.toMatchObject({ code: "E_SOURCE_BUSY" });
    expect(isLocked(file)).toBe("locked");
    closeSync(openSync(file, "r"));
    expect(isLocked(file)).toBe("free");
    agent.close();
  });
});

describe("abort", () => {
  it("stops a copy in the middle, and leaves the live data as it was", async () => {
    await using at = await place();
    const file = make(
      join(at.memory, "large.db"),
      "CREATE TABLE t (b); INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) SELECT zeroblob(3000) FROM n",
      "PRAGMA journal_mode = WAL",
    );
    const before = bytesOf(at.memory);
    const stop = new AbortController();
    const session = await sqlite().open(at.target());
    await session.pin();
    const copying = collectEntries(session, stop.signal);
    stop.abort();
    await expect(copying).rejects.toMatchObject({ name: "AbortError" });
    await session[Symbol.asyncDispose]();
    await session[Symbol.asyncDispose]();
    expect(bytesOf(at.memory)).toEqual(before);
    expect(existsSync(`${file}-wal`)).toBe(false);
    await expect(sqlite().open(at.target(), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
  });
});

describe("without rights", () => {
  it("captures from a folder where nothing may be written, and leaves it as it was", async () => {
    await using at = await place();
    make(join(at.memory, "wal.db"), TABLE, "PRAGMA journal_mode = WAL");
    make(join(at.memory, "plain.db"), TABLE);
    runKilled("wal", join(at.memory, "left.db"));
    for (const name of readdirSync(at.memory)) chmodSync(join(at.memory, name), 0o444);
    chmodSync(at.memory, 0o555);
    const before = bytesOf(at.memory);
    const entries = captureUnprivileged(at);
    expect(bytesOf(at.memory)).toEqual(before);
    expect(entries).toEqual([
      ["left.db", "file", "", "", 1000],
      ["plain.db", "file", "", "", 2],
      ["wal.db", "file", "", "", 2],
    ]);
  });

  it("says what could not be read", async () => {
    await using at = await place();
    chmodSync(make(join(at.memory, "secret.db"), TABLE), 0);
    chmodSync(make(join(at.memory, "open.db"), TABLE), 0o444);
    make(join(at.memory, "closed/in.db"), TABLE);
    chmodSync(join(at.memory, "closed"), 0);
    chmodSync(at.memory, 0o755);
    const entries = captureUnprivileged(at, "secret.db");
    chmodSync(join(at.memory, "closed"), 0o700);
    expect(entries).toEqual([
      ["closed", "omitted", "unreadable", "E_PERMISSION", -1],
      ["secret.db", "omitted", "unreadable", "E_PERMISSION", -1],
      ["open.db", "file", "", "", 2],
    ]);
  });
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { treeDigest } from "@keepsake/testkit";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { bundleOf, restore, stage } from "./restoring.js";
import { judge, make, place, query, start } from "./support.js";

const ROWS = 200;
const rows = (origin: string): string =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${String(ROWS)}) INSERT INTO t (origin) SELECT '${origin}' FROM n`;
const TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, origin)";
const origins = (file: string): unknown[] => query(file, "SELECT DISTINCT origin FROM t ORDER BY origin").flat();

/** A memory with one database, its snapshot, and other rows in it since. */
async function scene(mode: string, pragmas = "") {
  const at = await place();
  const file = make(
    join(at.memory, "a.db"),
    `${TABLE}; ${rows("snapshot")}`,
    `${pragmas}; PRAGMA journal_mode = ${mode}`,
  );
  const bundle = await bundleOf(at, sqlite());
  make(file, `DELETE FROM t; ${rows("now")}`);
  return { at, file, bundle, [Symbol.asyncDispose]: () => at[Symbol.asyncDispose]() };
}

describe("an open database", () => {
  it.each(["wal", "delete"])("is not exchanged under the process that has it open, in mode %s", async (mode) => {
    await using made = await scene(mode);
    const { at, file, bundle } = made;
    await using holder = await start("holder.mjs", file);
    // What the exchange alone does: the process goes on in a file that nobody sees any more.
    expect(existsSync(`/proc/${String(holder.pid)}/fd`)).toBe(true);
    const before = await treeDigest(at.memory);
    const refused = { code: "E_LIVE_HOLDER", context: { database: file, pids: [holder.pid] } };
    await expect(stage(at, sqlite(), bundle)).rejects.toMatchObject(refused);
    expect(await treeDigest(at.memory)).toEqual(before);
  });

  it("is found where another user's process has it open", async () => {
    if (process.getuid?.() !== 0) return;
    await using made = await scene("delete");
    const { at, file, bundle } = made;
    for (const dir of [at.dir, at.memory]) chmodSync(dir, 0o755);
    const other = spawn("setpriv", ["--reuid=65534", "--clear-groups", "sqlite3", "-readonly", file]);
    try {
      other.stdin.write("SELECT 'ready', count(*) FROM t;\n");
      await once(createInterface(other.stdout), "line");
      await expect(stage(at, sqlite(), bundle)).rejects.toMatchObject({
        code: "E_LIVE_HOLDER",
        context: { pids: [other.pid] },
      });
    } finally {
      await end(other);
    }
  });

  it.each(["wal", "delete"])("is found when this process has it open itself, in mode %s", async (mode) => {
    await using made = await scene(mode);
    const { at, file, bundle } = made;
    const own = new Database(file);
    own.prepare("SELECT count(*) FROM t").get();
    await expect(stage(at, sqlite(), bundle)).rejects.toMatchObject({
      code: "E_LIVE_HOLDER",
      context: { pids: [process.pid] },
    });
    own.close();
    await restore(at, sqlite(), bundle);
    expect(origins(file)).toEqual(["snapshot"]);
  });

  it("is found when it was opened between stage and commit", async () => {
    await using made = await scene("wal");
    const { at, file, bundle } = made;
    make(join(at.memory, "later.db"), TABLE);
    await using staged = await stage(at, sqlite(), bundle);
    const before = await treeDigest(at.memory);
    await using holder = await start("holder.mjs", file);
    await expect(staged.commit()).rejects.toMatchObject({ code: "E_LIVE_HOLDER", context: { pids: [holder.pid] } });
    await staged.rollback();
    expect(await holder.ask({ sql: "SELECT count(*) AS n FROM t WHERE origin = 'now'" })).toEqual([{ n: ROWS }]);
    await holder[Symbol.asyncDispose]();
    const { "a.db": database, "later.db": later } = await treeDigest(at.memory);
    expect([database, later]).toEqual([before["a.db"], before["later.db"]]);
  });

  it.each([true, false])("is not removed, live: %s", async (live) => {
    await using made = await scene("wal");
    const { at, bundle } = made;
    const later = make(join(at.memory, "later.db"), TABLE);
    await using holder = await start("holder.mjs", later);
    await expect(stage(at, sqlite(), bundle, { live })).rejects.toMatchObject({
      code: "E_LIVE_HOLDER",
      context: { database: later, pids: [holder.pid] },
    });
    expect(origins(join(at.memory, "a.db"))).toEqual(["now"]);
  });
});

describe("a live restore", () => {
  it("shows that copying over an open database breaks what reads it", async () => {
    await using made = await scene("wal");
    const { file, bundle } = made;
    await using agent = await start("agent.mjs", file);
    copyFileSync(bundle.entries[0]?.file ?? "", file);
    const { rows: found } = (await agent.ask("stop")) as Report;
    // Rows of the old log are still there: neither the old state nor the new one.
    expect(found.map(({ origin }) => origin)).not.toEqual(["agent", "snapshot"]);
  });

  it.each(["wal", "delete"])("lets a process read and write on, in mode %s", async (mode) => {
    await using made = await scene(mode);
    const { at, file, bundle } = made;
    await using agent = await start("agent.mjs", file);
    const { ino } = statSync(file);
    const plan = await restore(at, sqlite(), bundle, { live: true });
    expect(plan.notices).toEqual([expect.stringContaining("is written through SQLite")]);
    const then = (await agent.ask("written")) as number;
    await later(agent, then);
    const { seen, rows: found } = (await agent.ask("stop")) as Report;
    expect(seen.sort()).toEqual(["1 now ok", "1 snapshot ok"]);
    expect(found).toEqual([
      { origin: "agent", n: expect.any(Number) as number },
      { origin: "snapshot", n: ROWS },
    ]);
    expect(statSync(file).ino).toBe(ino);
    await agent[Symbol.asyncDispose]();
    expect(judge(file)).toBe("ok");
  });

  it.each(["wal", "delete"])("can be taken back, twice, and is not done twice, in mode %s", async (mode) => {
    await using made = await scene(mode);
    const { at, file, bundle } = made;
    await using holder = await start("holder.mjs", file);
    const ask = (sql: string) => holder.ask({ sql });
    const ORIGINS = "SELECT DISTINCT origin FROM t ORDER BY origin";
    await using staged = await stage(at, sqlite(), bundle, { live: true });
    expect(await ask(ORIGINS)).toEqual([{ origin: "now" }]);
    await staged.commit();
    expect(await ask("INSERT INTO t (origin) VALUES ('since') RETURNING origin")).toEqual([{ origin: "since" }]);
    await staged.commit();
    expect(await ask(ORIGINS)).toEqual([{ origin: "since" }, { origin: "snapshot" }]);
    await staged.rollback();
    expect(await ask(ORIGINS)).toEqual([{ origin: "now" }]);
    expect(await ask("INSERT INTO t (origin) VALUES ('after') RETURNING origin")).toEqual([{ origin: "after" }]);
    await staged.rollback();
    expect(await ask(ORIGINS)).toEqual([{ origin: "after" }, { origin: "now" }]);
  });

  it("waits for a writer, and says which database stays locked", async () => {
    await using made = await scene("delete");
    const { at, file, bundle } = made;
    await using holder = await start("holder.mjs", file);
    await using staged = await stage(at, sqlite(), bundle, { live: true });
    const lock = new Database(file);
    lock.exec("BEGIN IMMEDIATE");
    const committed = staged.commit();
    setTimeout(() => lock.exec("COMMIT"), 300);
    await committed;
    lock.close();
    expect(await holder.ask({ sql: "SELECT DISTINCT origin FROM t" })).toEqual([{ origin: "snapshot" }]);
  });

  it("refuses a database of another page size, and changes nothing", async () => {
    await using made = await scene("wal", "PRAGMA page_size = 8192");
    const { at, file, bundle } = made;
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
    make(file, `${TABLE}; ${rows("now")}`, "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL");
    await using holder = await start("holder.mjs", file);
    const before = await treeDigest(dirname(file));
    await expect(stage(at, sqlite(), bundle, { live: true })).rejects.toMatchObject({
      code: "E_LIVE_HOLDER",
      context: { pids: [holder.pid] },
    });
    expect(await treeDigest(dirname(file))).toEqual(before);
    expect(origins(file)).toEqual(["now"]);
  });
});

interface Report {
  readonly seen: string[];
  readonly rows: readonly { readonly origin: string; readonly n: number }[];
}

/** Until the agent has written on. */
async function later(agent: { ask(message: string): Promise<unknown> }, then: number): Promise<void> {
  while (((await agent.ask("written")) as number) < then + 5);
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { bundleOf, stage } from "./restoring.js";
import { judge, make, place, query, start } from "./support.js";

const NAMES = ["a.db", "b.db", "c.db"];
const BALLAST_ROWS = 3000;
const BALLAST = `CREATE TABLE ballast (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${String(BALLAST_ROWS)}) INSERT INTO ballast SELECT randomblob(800) FROM n`;
const counter = (n: number): string => `CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (${String(n)})`;
const numberIn = (file: string): unknown => query(file, "SELECT n FROM counter").flat()[0];

interface Report {
  readonly skewed: string[];
  readonly failed: string[];
  readonly damaged: string[];
  readonly back: number;
  readonly last: number;
  readonly rounds: number;
}

/** Databases that hold one number, whose snapshot has another one than they have now. */
async function scene(mode: string) {
  const at = await place();
  const files = NAMES.map((name) => join(at.memory, name));
  for (const file of files) make(file, `${counter(0)}; ${BALLAST}`, `PRAGMA journal_mode = ${mode}`);
  const bundle = await bundleOf(at, sqlite());
  for (const file of files) make(file, "UPDATE counter SET n = 1000000");
  return { at, files, bundle, [Symbol.asyncDispose]: () => at[Symbol.asyncDispose]() };
}

describe("a live restore of several databases", () => {
  it.each([
    ["wal", "forwards"],
    ["wal", "backwards"],
    ["delete", "forwards"],
    ["delete", "backwards"],
  ])("is one moment for who writes to all of them, in mode %s, locking them %s", async (mode, way) => {
    await using made = await scene(mode);
    const { at, files, bundle } = made;
    await using agent = await start("pair-agent.mjs", way, ...files);
    await using staged = await stage(at, sqlite(), bundle, { live: true });
    await staged.commit();
    const { rounds } = (await agent.ask("written")) as Report;
    while (((await agent.ask("written")) as Report).rounds < rounds + 3);
    const told = (await agent.ask("stop")) as Report;
    expect(told).toMatchObject({ skewed: [], failed: [], damaged: [], back: 1 });
    expect(told.last).toBeLessThan(1_000_000);
    await agent[Symbol.asyncDispose]();
    // What was written after the restore is there, in all of them.
    expect(files.map(numberIn)).toEqual(files.map(() => told.last));
    expect(files.map((file) => judge(file))).toEqual(files.map(() => "ok"));
  });

  it.each(["wal", "delete"])(
    "is taken back in all of them together, with what was written until it began: %s",
    async (mode) => {
      await using made = await scene(mode);
      const { at, files, bundle } = made;
      await using agent = await start("pair-agent.mjs", "forwards", ...files);
      await using staged = await stage(at, sqlite(), bundle, { live: true });
      const { rounds } = (await agent.ask("written")) as Report;
      while (((await agent.ask("written")) as Report).rounds < rounds + 5);
      await staged.commit();
      await staged.rollback();
      // What it counts on next is what was put back.
      const after = (await agent.ask("written")) as Report;
      while (((await agent.ask("written")) as Report).rounds < after.rounds + 3);
      const told = (await agent.ask("stop")) as Report;
      expect(told).toMatchObject({ skewed: [], failed: [], damaged: [] });
      // More than when it was staged: rows of between stage and commit are old state too.
      expect(told.last).toBeGreaterThan(1_000_000 + rounds + 3);
    },
  );

  it("changes none of them when one stays locked, and says which there are", async () => {
    await using made = await scene("wal");
    const { at, files, bundle } = made;
    await using holder = await start("holder.mjs", files[0] ?? "");
    await using other = await start("holder.mjs", files[1] ?? "");
    await using staged = await stage(at, sqlite(), bundle, { live: true });
    const lock = new Database(files[1] ?? "");
    lock.exec("BEGIN IMMEDIATE");
    await expect(staged.commit()).rejects.toMatchObject({
      code: "E_SOURCE_BUSY",
      context: { databases: files.slice(0, 2) },
    });
    // Nobody was kept out for good, and there is nothing to take back.
    expect(await holder.ask({ sql: "UPDATE counter SET n = 1000001 RETURNING n" })).toEqual([{ n: 1_000_001 }]);
    lock.exec("COMMIT");
    lock.close();
    await staged.rollback();
    expect(await holder.ask({ sql: "SELECT n FROM counter" })).toEqual([{ n: 1_000_001 }]);
    expect(await other.ask({ sql: "SELECT n FROM counter" })).toEqual([{ n: 1_000_000 }]);
    const through = staged.plan.data["through"] as { begun: string }[];
    expect(through.filter(({ begun }) => existsSync(begun))).toEqual([]);
  });
});

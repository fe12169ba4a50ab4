import { readdir, readFile, rm } from "node:fs/promises";
import { isErrorCode } from "@keepsake/core";
import {
  chunked,
  type DiskFault,
  DiskFaults,
  type ResidentProgram,
  type Struck,
  sweep,
  type TempDir,
  tempDir,
} from "@keepsake/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileLocks, localFs } from "../src/index.js";
import { fixture } from "./processes.js";

const OLD = "already there";
const NEW = "0123456789".repeat(20);
const FAULTS: readonly DiskFault[] = [
  { kill: "caller" },
  { error: "EIO" },
  { error: "EIO", thenOn: true },
  { error: "ENOSPC", thenOn: true },
  { short: true },
];

let faults: DiskFaults;
let program: ResidentProgram;
beforeAll(async () => {
  faults = await DiskFaults.prepare();
  program = faults.resident({ argv: [process.execPath, fixture("answer.mjs")] });
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await faults[Symbol.asyncDispose]();
});

/** A store with one object. */
async function store(): Promise<TempDir> {
  const dir = await tempDir();
  await localFs({ root: dir.path }).put("a/old", chunked(OLD));
  return dir;
}

/** A lock that was held before. */
async function locks(): Promise<TempDir> {
  const dir = await tempDir();
  await using _lock = await fileLocks({ root: dir.path }).acquire("a/lock", { timeoutMs: 0 });
  return dir;
}

async function sweepOf(
  prepare: () => Promise<TempDir>,
  order: { readonly do: string; readonly key: string },
  kinds: readonly DiskFault[],
  judge: (dir: TempDir, struck: Struck) => Promise<void>,
): Promise<void> {
  const report = await sweep({
    name: `${order.do} of local-fs`,
    faults: kinds,
    prepare,
    run: ({ path }, strike) =>
      program.ask(JSON.stringify({ ...order, root: path, text: NEW }), { within: path, strike }),
    async judge(dir, struck) {
      const { run, fault } = struck;
      expect(run.stderr).toBe("");
      if (!("kill" in fault)) expect(/^(stored|true|[0-9]+)$/.test(run.said) || isTyped(run.said), run.said).toBe(true);
      await judge(dir, struck);
    },
  });
  console.log(report.summary);
  expect(report.failures).toEqual([]);
}

const isTyped = (code: string): boolean => isErrorCode(code) && code !== "E_INTERNAL";

async function contents(root: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for await (const { key } of localFs({ root }).list("")) found[key] = await readFile(`${root}/${key}`, "utf8");
  return found;
}

async function unfinished(root: string): Promise<readonly string[]> {
  return (await readdir(root, { recursive: true })).filter((name) => name.includes(".keepsake-"));
}

describe("whatever call it stops at", () => {
  it("put leaves all of the object or nothing, and nothing else changed", async () => {
    await sweepOf(store, { do: "put", key: "b/c/new" }, FAULTS, async ({ path: root }, { run, fault }) => {
      const now = await contents(root);
      expect([{ "a/old": OLD }, { "a/old": OLD, "b/c/new": NEW }]).toContainEqual(now);
      // An answer that it is stored is true; where the disk is gone an answer that it is not may be the last to know.
      if (run.said === "stored") expect(now["b/c/new"]).toBe(NEW);
      await localFs({ root }).sweep?.({ olderThanMs: 3_600_000 });
      // A process that lives on a dead disk can remove nothing, and nobody takes from it what it may be writing.
      if (!("error" in fault && fault.error === "EIO" && fault.thenOn === true))
        expect(await unfinished(root)).toEqual([]);
      if (now["b/c/new"] === undefined) await localFs({ root }).put("b/c/new", chunked(NEW));
      expect(await contents(root)).toEqual({ "a/old": OLD, "b/c/new": NEW });
    });
  });

  it("delete leaves the object or nothing of it", async () => {
    await sweepOf(store, { do: "delete", key: "a/old" }, FAULTS, async ({ path: root }, { run }) => {
      const now = await contents(root);
      expect([{ "a/old": OLD }, {}]).toContainEqual(now);
      if (run.said === "true") expect(now).toEqual({});
      await rm(`${root}/a/old`, { force: true });
      await localFs({ root }).put("a/old", chunked(NEW));
    });
  });

  it("a lock is free at once for the next, whether its holder is dead or lives on", async () => {
    const kinds = FAULTS.filter((fault) => !("error" in fault && fault.error === "EIO" && fault.thenOn === true));
    await sweepOf(locks, { do: "lock", key: "a/lock" }, kinds, async ({ path: root }, { run }) => {
      await using lock = await fileLocks({ root }).acquire("a/lock", { timeoutMs: 0 });
      await lock.assertHeld();
      expect(lock.fencingToken).toBeGreaterThan(Number.isInteger(Number(run.said)) ? Number(run.said) : 1);
      expect(await unfinished(root)).toEqual([]);
    });
  });
});

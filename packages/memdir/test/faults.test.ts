import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isErrorCode } from "@keepsake/core";
import {
  type DiskFault,
  DiskFaults,
  type ResidentProgram,
  type Struck,
  sweep,
  type TempDir,
  tempDir,
  type TreeDigest,
  treeDigest,
  writeTree,
} from "@keepsake/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memdir } from "../src/index.js";
import { capture } from "./bundle.js";

const FAULTS: readonly DiskFault[] = [
  { kill: "caller" },
  { error: "EIO" },
  { error: "ENOSPC", thenOn: true },
  { short: true },
];

let temp: TempDir;
let faults: DiskFaults;
let program: ResidentProgram;
let before: TreeDigest;
let after: TreeDigest;

/** The folder in which it happens: always the same, because plans hold absolute paths. */
const dir = (): string => temp.join("world");
const memory = (): string => temp.join("world", "memory");
const state = (): Promise<TreeDigest> => treeDigest(memory());

const copy = (from: string, to: string) => promisify(execFile)("cp", ["-a", from, to]);

async function save(name: string): Promise<void> {
  await copy(dir(), temp.join(name));
}

async function bringBack(name: string): Promise<AsyncDisposable> {
  await rm(dir(), { recursive: true, force: true });
  await copy(temp.join(name), dir());
  return { [Symbol.asyncDispose]: () => Promise.resolve() };
}

const ask = async (what: string, strike?: { readonly at: number; readonly fault: DiskFault }) =>
  program.ask(JSON.stringify({ do: what, dir: dir() }), { within: dir(), strike });

/** Three shapes: "captured", "staged" with its plan, "committed". */
beforeAll(async () => {
  temp = await tempDir();
  faults = await DiskFaults.prepare();
  program = faults.resident({ argv: [process.execPath, fileURLToPath(new URL("answer.mjs", import.meta.url))] });
  await writeTree(memory(), {
    "a.md": "one",
    "deep/b.md": "two",
    empty: { directory: true },
    link: { link: "a.md" },
    "tool.sh": { file: "#!/bin/sh\n", mode: 0o755 },
    "kind/x": "a folder that a file takes the place of",
  });
  const { entries } = await capture(memdir(), memory(), dir());
  await writeFile(temp.join("world", "entries.json"), JSON.stringify(entries));
  await rm(temp.join("world", "memory"), { recursive: true });
  await writeTree(memory(), {
    "a.md": "other",
    "later/c.md": "three",
    link: "no link",
    kind: "a file",
    "tool.sh": "#!",
  });
  before = await state();
  await save("captured");
  const staged = await ask("stage");
  await writeFile(temp.join("world", "plan.json"), staged.said);
  await save("staged");
  expect((await ask("commit")).said).toBe("done");
  after = await state();
  expect(after).not.toEqual(before);
  await save("committed");
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await faults[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

async function sweepOf(what: string, shape: string, judge: (struck: Struck) => Promise<void>): Promise<void> {
  const report = await sweep({
    name: `${what} of memdir`,
    faults: FAULTS,
    prepare: () => bringBack(shape),
    run: (_ground, strike) => ask(what, strike),
    async judge(_ground, struck) {
      const { run, fault } = struck;
      if (!("kill" in fault) && run.said !== "done" && !run.said.startsWith("{")) {
        expect(isErrorCode(run.said) && run.said !== "E_INTERNAL", run.said).toBe(true);
      }
      await judge(struck);
    },
  });
  console.log(report.summary);
  expect(report.failures).toEqual([]);
}

/** Of every two points after one it is finished, after the other taken back. */
async function goOn({ point, run }: Struck): Promise<void> {
  const what = point.call.ordinal % 2 === 0 ? "commit" : "rollback";
  expect((await ask(what)).said, run.said).toBe("done");
  expect(await state()).toEqual(what === "commit" ? after : before);
}

describe("whatever call it stops at", () => {
  it("stage changes nothing live", async () => {
    await sweepOf("stage", "captured", async () => {
      expect(await state()).toEqual(before);
    });
  });

  it("commit can be finished and taken back", async () => {
    await sweepOf("commit", "staged", goOn);
  });

  it("rollback can be done again, and done again", async () => {
    await sweepOf("rollback", "committed", async () => {
      for (let time = 0; time < 2; time++) {
        expect((await ask("rollback")).said).toBe("done");
        expect(await state()).toEqual(before);
      }
    });
  });
});

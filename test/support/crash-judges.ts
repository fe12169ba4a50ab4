import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isErrorCode } from "@keepsake/core";
import type { Keepsake } from "@keepsake/runtime";
import { type DiskFault, type Struck, sweep, type SweepReport } from "@keepsake/testkit";
import { expect } from "vitest";
import { AGENT, type CrashGround, OLDER } from "./crash-grounds.js";
import { type Answer, answerOf, type Operation } from "./operation.js";
import { RunningProgram } from "./running-program.js";

interface Judged {
  readonly ground: CrashGround;
  readonly keepsake: Keepsake;
  readonly answer: Answer;
}

/** What is done first with what an operation left. */
export type NextOperation = "recover" | "snapshot";

/** An operation that is swept: on which shape of the ground, and what must hold of it beside what always must. */
export interface Swept {
  readonly shape: "plain" | "exported" | "intent" | "committed";
  operation(ground: CrashGround): Promise<Operation> | Operation;
  /** who else is at work meanwhile, until what was left is judged */
  beside?(ground: CrashGround): Promise<AsyncDisposable>;
  /** how the memory may be afterwards */
  memory(judged: Judged, phase: string | undefined): readonly ("old" | "new")[];
  /** how many snapshots there may be before anything else is done */
  readonly snapshots: { readonly done: number; readonly undone: readonly number[] };
  /** @param older how what was `latest~1` at first is called by now */
  more?(judged: Judged, older: string): Promise<void>;
}

const OLD = (): readonly ["old"] => ["old"];
const UNMOVED = { done: 2, undone: [2] };

export const SWEPT = {
  snapshot: {
    shape: "plain",
    operation: () => ({ name: "snapshot", request: AGENT }),
    memory: OLD,
    snapshots: { done: 3, undone: [2, 3] },
  },
  restore: {
    shape: "plain",
    operation: () => ({ name: "restore", request: OLDER }),
    memory: memoryOfRestore,
    snapshots: { done: 3, undone: [2, 3] },
  },
  delete: {
    shape: "plain",
    operation: () => ({ name: "delete", request: OLDER }),
    memory: OLD,
    snapshots: { done: 1, undone: [1, 2] },
  },
  export: {
    shape: "plain",
    operation: ({ world }) => ({ name: "export", request: { ...OLDER, to: world.outside } }),
    memory: OLD,
    snapshots: UNMOVED,
    more: judgeExport,
  },
  import: {
    shape: "exported",
    operation: async (ground) => ({
      name: "import",
      request: { ...AGENT, bundleFile: await ground.bundleFile() },
    }),
    memory: OLD,
    snapshots: { done: 2, undone: [1, 2] },
  },
  "recover that takes back": {
    shape: "intent",
    operation: () => ({ name: "recover", request: {} }),
    memory: OLD,
    snapshots: { done: 3, undone: [3] },
  },
  "recover that completes": {
    shape: "committed",
    operation: () => ({ name: "recover", request: {} }),
    memory: () => ["new"],
    snapshots: { done: 3, undone: [3] },
  },
} satisfies Record<string, Swept>;

/** A restore through these databases of the memory, which another process has open, and whose commits go to a log. */
export const liveRestore = (...databases: readonly string[]): Swept => ({
  ...SWEPT.restore,
  operation: () => ({ name: "restore", request: { ...OLDER, live: true } }),
  beside: ({ world }) => holdOpen(databases.map((name) => join(world.memory, name))),
});

export type SweptName = keyof typeof SWEPT;

/** The names of the operations that are swept. */
export const SWEPT_NAMES = Object.keys(SWEPT) as readonly SweptName[];

interface SweepOptions {
  readonly title: string;
  readonly faults: readonly DiskFault[];
  readonly pointsOfEach?: number;
}

/** Sweeps one operation, says in a line what came of it, and expects no failures. */
export function sweepOperation(ground: CrashGround, name: SweptName, what: SweepOptions): Promise<SweepReport> {
  return sweepSwept(ground, SWEPT[name], name, what);
}

/** The same of any other. */
export async function sweepSwept(
  ground: CrashGround,
  swept: Swept,
  name: string,
  what: SweepOptions,
): Promise<SweepReport> {
  const { title, ...chosen } = what;
  const report = await sweep({
    ...chosen,
    name: `${name} of ${title}`,
    async prepare() {
      await ground.world.bringBack(swept.shape);
      return (await swept.beside?.(ground)) ?? { [Symbol.asyncDispose]: () => Promise.resolve() };
    },
    run: async (_ground, strike) => ground.run(await swept.operation(ground), strike),
    async judge(_ground, struck) {
      const answer = answerOf(struck.run.said);
      judgeAnswer(struck, answer);
      // The next operation after every other point is a recovery, after the rest a snapshot.
      await judgeLeft(ground, swept, answer, struck.point.call.ordinal % 2 === 0 ? "recover" : "snapshot");
    },
  });
  console.log([report.summary, ...report.failures].join("\n  "));
  expect(report.failures).toEqual([]);
  return report;
}

/** Judges what an operation left that ended in whatever way. */
export async function judgeLeft(ground: CrashGround, swept: Swept, answer: Answer, next: NextOperation): Promise<void> {
  await using keepsake = await ground.world.open();
  const judged = { ground, keepsake, answer };
  const phase = await ground.world.journalPhase();
  await judgeTruth(judged, phase);
  // What has reported its end has left nothing to recover.
  if (answer.result !== undefined) expect(phase).toBeUndefined();
  const { length: count } = await wholeSnapshots(keepsake);
  const { done, undone } = swept.snapshots;
  expect(answer.result === undefined ? undone : [done], "snapshots").toContain(count);

  const goneOn = await goOn(keepsake, next);
  const now = await ground.world.state();
  const allowed = swept.memory(judged, phase).map((which) => (which === "old" ? ground.before : ground.after));
  expect(allowed.map((state) => JSON.stringify(state))).toContain(JSON.stringify(now));
  await swept.more?.(judged, `latest~${String(1 + goneOn)}`);
  const left = await ground.world.leftovers();
  expect(left, JSON.stringify(left)).toEqual([]);
  expect(await wholeSnapshots(keepsake)).toHaveLength(count + goneOn);
  const { ok, findings } = await keepsake.doctor({});
  expect(ok, JSON.stringify(findings)).toBe(true);
}

/** A `sqlite3` program that has these databases open. */
async function holdOpen(files: readonly string[]): Promise<RunningProgram> {
  const holder = RunningProgram.start("sqlite3", ":memory:");
  for (const [index, file] of files.entries()) {
    const schema = `held${String(index)}`;
    holder.send(`ATTACH '${file}' AS ${schema}; SELECT count(*) FROM ${schema}.sqlite_schema;\n`);
  }
  await holder.told(files.length);
  return holder;
}

/** A call that failed is a typed error, or was made good; never a process that ends without a word. */
function judgeAnswer({ fault, point, run }: Struck, { result, error }: Answer): void {
  expect(run.stderr).toBe("");
  if ("kill" in fault && (fault.kill === "main" || !point.call.inHelper)) {
    expect(run.ended?.signal).toBe("SIGKILL");
    return;
  }
  expect(run.ended).toBeUndefined();
  if (result !== undefined) return;
  expect(isErrorCode(error?.code) && error.code !== "E_INTERNAL", JSON.stringify(error)).toBe(true);
}

/** `list` and `doctor` say what is there, before anything was mended. */
async function judgeTruth({ keepsake }: Judged, phase: string | undefined): Promise<void> {
  const { findings } = await keepsake.doctor({});
  const problems = findings.filter(({ status }) => status === "problem").map(({ name }) => name);
  expect(problems, JSON.stringify(findings)).toEqual(phase === undefined ? [] : ["restore"]);
}

/** Every listed snapshot, each verified. */
async function wholeSnapshots(keepsake: Keepsake): Promise<readonly string[]> {
  const { snapshots, unreadable } = await keepsake.list(AGENT);
  expect(unreadable).toEqual([]);
  for (const { id } of snapshots) expect((await keepsake.verify({ ...AGENT, ref: id })).ok).toBe(true);
  return snapshots.map(({ id }) => id);
}

/** @returns how many snapshots it added */
async function goOn(keepsake: Keepsake, next: NextOperation): Promise<number> {
  if (next === "recover") {
    await keepsake.recover({});
    return 0;
  }
  await keepsake.snapshot({ ...AGENT, label: "next" });
  return 1;
}

function memoryOfRestore({ answer }: Judged, phase: string | undefined): readonly ("old" | "new")[] {
  if (answer.result !== undefined || phase === "committed") return ["new"];
  if (phase !== undefined) return ["old"];
  // Without a journal either nothing had begun, or nothing but the last word was missing.
  return ["old", "new"];
}

async function judgeExport({ ground: { world }, keepsake, answer }: Judged, older: string): Promise<void> {
  const names = (await readdir(world.outside)).filter((name) => !name.startsWith("."));
  const bundle = names.find((name) => name.endsWith(".tar.zst"));
  if (answer.result !== undefined) expect(bundle).toBeDefined();
  if (bundle === undefined) {
    // A digest alone says nothing wrong; with it away the same export succeeds, over what else was left.
    for (const name of names) await rm(join(world.outside, name));
    await keepsake.export({ ...AGENT, ref: older, to: world.outside });
    return;
  }
  expect((await keepsake.verify({ bundleFile: join(world.outside, bundle) })).ok).toBe(true);
  if (answer.result !== undefined) return;
  // What is unfinished beside it goes with the next export of that snapshot to that place.
  for (const name of names) await rm(join(world.outside, name));
  await keepsake.export({ ...AGENT, ref: older, to: world.outside });
}

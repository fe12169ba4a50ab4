import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isErrorCode } from "@keepsake/core";
import type { Keepsake } from "@keepsake/runtime";
import { writeTree } from "@keepsake/testkit";
import { expect } from "vitest";
import { makeMemory } from "./agent-memory.js";
import { type CallPoint, type Fault, type Outcome, runWithFault } from "./crash-sweep.js";
import { CrashWorld, type WorldState } from "./crash-world.js";
import { wreckMemory } from "./wreck-memory.js";

const AGENT = { agent: "ana" };
const RESTORE = { ...AGENT, ref: "latest~1" };
/** In the `to` of an export: the world's own folder for it. */
const OUTSIDE = "(outside)";

/** The operations that are swept, and how each is judged. */
export const SWEPT = {
  snapshot: { request: AGENT, judge: judgeSnapshot },
  restore: { request: RESTORE, judge: judgeRestore },
  delete: { request: RESTORE, judge: judgeDelete },
  export: { request: { ...RESTORE, to: OUTSIDE }, judge: judgeExport },
} as const;

export type SweptName = keyof typeof SWEPT;

/** A world, and what a restore makes of its memory. */
export interface Ground {
  readonly world: CrashWorld;
  readonly before: WorldState;
  readonly after: WorldState;
}

/** What was done to a copy of a ground, and how the operation ended. */
export interface Struck {
  readonly ground: Ground;
  /** the copy in which it happened */
  readonly world: CrashWorld;
  readonly outcome: Outcome;
}

/** Two snapshots of notes and state values, and a memory that has gone on since. */
export async function groundOfNotes(): Promise<Ground> {
  const world = await CrashWorld.make();
  await writeTree(world.memory, {
    "MEMORY.md": "# Index\n",
    "topics/a.md": "one\n",
    "topics/deep/b.md": "two\n",
    "gone-later": { directory: true },
    latest: { link: "topics/a.md" },
    "tool.sh": { file: "#!/bin/sh\n", mode: 0o755 },
  });
  await writeFile(join(world.run, "cursor.json"), '{"line":1}');
  await twoSnapshots(world);
  await writeTree(world.memory, { "MEMORY.md": "other\n", "topics/new.md": "n\n", "added/x.md": "x" });
  await rm(join(world.memory, "gone-later"), { recursive: true });
  await rm(join(world.memory, "latest"));
  await rm(join(world.memory, "topics", "deep"), { recursive: true });
  await writeFile(join(world.run, "cursor.json"), '{"line":2}');
  await writeFile(join(world.run, "dream.json"), '"asleep"');
  return settle(world);
}

/** The same of a whole memory: notes, a database with a log, a repository with uncommitted edits, state values. */
export async function groundOfAll(): Promise<Ground> {
  const world = await CrashWorld.make();
  const database = await makeMemory(world.memory, { commits: 2 });
  await writeFile(join(world.run, "cursor.json"), '{"line":1}');
  await twoSnapshots(world);
  await wreckMemory(world.memory, database);
  await writeFile(join(world.run, "cursor.json"), '{"line":2}');
  await writeFile(join(world.run, "dream.json"), '"asleep"');
  return settle(world);
}

async function twoSnapshots(world: CrashWorld): Promise<void> {
  await using keepsake = await world.open();
  await keepsake.snapshot({ ...AGENT, label: "older" });
  await keepsake.snapshot({ ...AGENT, label: "newer" });
}

async function settle(world: CrashWorld): Promise<Ground> {
  const before = await world.state();
  await using restored = await world.copy();
  await using keepsake = await restored.open();
  await keepsake.restore(RESTORE);
  const after = await restored.state();
  expect(after).not.toEqual(before);
  return { world, before, after };
}

/** Runs one operation with one fault in a copy of the world, recovers there, and judges what is left. */
export async function strike(ground: Ground, name: SweptName, point: CallPoint, fault: Fault): Promise<Outcome> {
  await using world = await ground.world.copy();
  const { request, judge } = SWEPT[name];
  const placed = "to" in request ? { ...request, to: world.outside } : request;
  const outcome = await runWithFault(world.operation(name, placed), point, fault);
  try {
    judgeAnswer(outcome, fault);
    await judge({ ground, world, outcome });
    await judgeHouse(world);
    return outcome;
  } catch (error) {
    const where = JSON.stringify({ name, point, fault, outcome: { ...outcome, result: outcome.result !== undefined } });
    throw new Error(`${where}: ${String(error)}`, { cause: error });
  }
}

/** A call that failed is a typed error, or was made good; never a process that ends without a word. */
function judgeAnswer({ killed, error, stderr }: Outcome, fault: Fault): void {
  if ("kill" in fault) return;
  expect({ killed, stderr }).toEqual({ killed: false, stderr: "" });
  if (error === undefined) return;
  expect(isErrorCode(error.code) && error.code !== "E_INTERNAL", JSON.stringify(error)).toBe(true);
}

/** After `recover`: nothing half-made, every listed snapshot is whole, and work goes on. */
async function judgeHouse(world: CrashWorld): Promise<void> {
  await using keepsake = await world.open();
  await judgeKept(world, keepsake);
  await keepsake.snapshot({ ...AGENT, label: "next" });
}

/** The same, without going on. */
export async function judgeKept(world: CrashWorld, keepsake: Keepsake): Promise<void> {
  await keepsake.recover({});
  await world.expectNothingLeft();
  const { snapshots, unreadable } = await keepsake.list(AGENT);
  expect(unreadable).toEqual([]);
  for (const { id } of snapshots) expect((await keepsake.verify({ ...AGENT, ref: id })).ok).toBe(true);
  const { ok, findings } = await keepsake.doctor({});
  expect(ok, JSON.stringify(findings)).toBe(true);
}

async function judgeSnapshot({ ground, world, outcome }: Struck): Promise<void> {
  expect(await world.state(), "a snapshot never touches the memory").toEqual(ground.before);
  const count = await countOf(world);
  if (outcome.result !== undefined) expect(count).toBe(3);
  else expect([2, 3]).toContain(count);
}

async function judgeRestore({ ground, world, outcome }: Struck): Promise<void> {
  await using keepsake = await world.open();
  const { restores } = await keepsake.recover({});
  const now = await world.state();
  const isNew = outcome.result !== undefined || restores.some((restore) => restore.outcome === "completed");
  const isOld = restores.some((restore) => restore.outcome === "rolled_back");
  // Without a journal either nothing had begun, or nothing but the last word was missing.
  const unclear = !isNew && !isOld && JSON.stringify(now) === JSON.stringify(ground.after);
  expect(now).toEqual(isNew || unclear ? ground.after : ground.before);
}

async function judgeDelete({ ground, world, outcome }: Struck): Promise<void> {
  expect(await world.state()).toEqual(ground.before);
  const count = await countOf(world);
  if (outcome.result !== undefined) expect(count).toBe(1);
  else expect([1, 2]).toContain(count);
}

async function judgeExport({ ground, world, outcome }: Struck): Promise<void> {
  expect(await world.state()).toEqual(ground.before);
  await using keepsake = await world.open();
  const names = (await readdir(world.outside)).filter((name) => !name.startsWith("."));
  const bundle = names.find((name) => name.endsWith(".tar.zst"));
  if (outcome.result !== undefined) expect(bundle).toBeDefined();
  if (bundle === undefined) {
    // A digest alone says nothing wrong; with it away the same export succeeds, over what else was left.
    for (const name of names) await rm(join(world.outside, name));
    await keepsake.export({ ...RESTORE, to: world.outside });
    expect((await readdir(world.outside)).filter((name) => name.startsWith("."))).toEqual([]);
    return;
  }
  expect((await keepsake.verify({ bundleFile: join(world.outside, bundle) })).ok).toBe(true);
}

async function countOf(world: CrashWorld): Promise<number> {
  await using keepsake = await world.open();
  return (await keepsake.list(AGENT)).snapshots.length;
}

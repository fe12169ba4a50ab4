import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { execute } from "./execute.js";
import { type Ground, judgeKept, type Struck, SWEPT } from "./crash-judges.js";
import type { Operation } from "./crash-sweep.js";
import type { CrashWorld } from "./crash-world.js";
import type { CutKind, PowerDisk } from "./power-disk.js";
import { RunningProgram } from "./running-program.js";
import { type PowerPoint, powerPointsOf, PowerWorker } from "./power-worker.js";

const AGENT = { agent: "ana" };

/** An operation during which the power fails, the world it begins in, and who judges what is left. */
export interface PowerCase {
  readonly ground: Ground;
  /** done in the copy of the world first */
  prepare?(world: CrashWorld): Promise<AsyncDisposable | undefined>;
  operation(world: CrashWorld): Operation;
  judge(struck: Struck): Promise<void>;
}

/** Operations that the sweep of killed processes knows, too. */
export function sweptCase(ground: Ground, name: keyof typeof SWEPT): PowerCase {
  const { request, judge } = SWEPT[name];
  const placed = (world: CrashWorld) => ("to" in request ? { ...request, to: world.outside } : request);
  return { ground, operation: (world) => world.operation(name, placed(world)), judge };
}

/** A bundle comes from outside that the store has no more. */
export async function importCase(ground: Ground): Promise<PowerCase> {
  const world = await ground.world.copy();
  await using keepsake = await world.open();
  await keepsake.export({ ...AGENT, ref: "latest~1", to: world.outside });
  await keepsake.delete({ ...AGENT, ref: "latest~1" });
  const bundles = (await readdir(world.outside)).filter((name) => name.endsWith(".zst"));
  const bundleIn = (place: CrashWorld) => ({ ...AGENT, bundleFile: join(place.outside, bundles[0] ?? "") });
  return {
    ground: { ...ground, world },
    operation: (place) => place.operation("import", bundleIn(place)),
    async judge({ world: left, outcome }) {
      expect(await left.state()).toEqual(ground.before);
      await using again = await left.open();
      const count = (await again.list(AGENT)).snapshots.length;
      if (outcome.result !== undefined) expect(count).toBe(2);
      else expect([1, 2]).toContain(count);
      if (count === 1) await again.import(bundleIn(left));
    },
  };
}

/** A restore was interrupted: before its last word, to be taken back; or right after it, to be completed. */
export async function recoverCase(ground: Ground, phase: "intent" | "committed"): Promise<PowerCase> {
  const restore = sweptCase(ground, "restore");
  const points = await pointsOfCase(restore);
  const words = points.filter(({ name, paths }) => name === "rename" && paths[1]?.includes("/journals/") === true);
  const last = words.at(-1);
  if (last === undefined) throw new Error("the restore wrote no journal");
  // The call after the last word's rename is the sync of its folder.
  const call = phase === "intent" ? last.call : last.call + 2;
  return {
    ground,
    // In place: a journal names the folders it speaks of by their whole paths.
    async prepare(world) {
      await using worker = new PowerWorker();
      const { killed } = await worker.run(restore.operation(world), { ...last, call, command: ["true"] });
      expect(killed).toBe(true);
      const journal = await readFile(join(world.stateRoot, "journals", "default", "ana.json"), "utf8");
      expect((JSON.parse(journal) as { readonly phase: string }).phase).toBe(phase);
      return undefined;
    },
    operation: (world) => world.operation("recover", {}),
    async judge({ world }) {
      await using keepsake = await world.open();
      await keepsake.recover({});
      expect(await world.state()).toEqual(phase === "intent" ? ground.before : ground.after);
    },
  };
}

/** A restore through a database that another process has open, and whose commits go to a log. */
export function liveCase(ground: Ground): PowerCase {
  const restore = sweptCase(ground, "restore");
  return {
    ...restore,
    async prepare(world) {
      const holder = RunningProgram.start("sqlite3", join(world.memory, "long_term.sqlite"));
      holder.send("SELECT count(*) FROM sqlite_schema;\n");
      await holder.told(1);
      return holder;
    },
    operation: (world) => world.operation("restore", { ...AGENT, ref: "latest~1", live: true }),
  };
}

/** Every point of a case, found by carrying it out in a copy of its world. */
export async function pointsOfCase({ ground, prepare, operation }: PowerCase): Promise<readonly PowerPoint[]> {
  await using world = await ground.world.copy();
  await using _prepared = await prepare?.(world);
  return await powerPointsOf(operation(world));
}

/** Carries it out on the disk, cuts the power at a point or right after the answer, starts again, and judges. */
export async function cutPower(
  { ground, prepare, operation, judge }: PowerCase,
  disk: PowerDisk,
  point: PowerPoint | undefined,
  kind: CutKind,
  worker = new PowerWorker(),
): Promise<void> {
  await using world = await ground.world.copy(disk.path);
  const outcome = await (async () => {
    await using running = worker;
    await using _prepared = await prepare?.(world);
    await disk.settle();
    const cut = point && { ...point, command: disk.cutCommand(kind) };
    const ended = await running.run(operation(world), cut);
    if (point === undefined) expect(ended.error).toBeUndefined();
    if (!ended.killed) await disk.cut(kind);
    return ended;
  })();
  await disk.restart();
  try {
    await judge({ ground, world, outcome });
    await using keepsake = await world.open();
    await judgeKept(world, keepsake);
    if (!existsSync(join(world.memory, ".git"))) return;
    const { stdout, stderr } = await execute("git", ["-C", world.memory, "fsck", "--full", "--no-progress"]);
    expect(`${stdout.toString()}${stderr}`).not.toMatch(/error|missing|broken|corrupt/);
  } catch (error) {
    const where = JSON.stringify({ kind, point, outcome: { ...outcome, result: outcome.result !== undefined } });
    throw new Error(`${where}: ${String(error)}`, { cause: error });
  }
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { execute } from "./execute.js";
import type { CrashGround } from "./crash-grounds.js";
import { judgeLeft, liveRestore, type NextOperation, SWEPT, type Swept, type SweptName } from "./crash-judges.js";
import type { CutKind, PowerDisk } from "./power-disk.js";
import { type Outcome, type PowerPoint, powerPointsOf, PowerWorker } from "./power-worker.js";

/** An operation during which the power fails, and the ground it is done on. */
export interface PowerCase {
  readonly ground: CrashGround;
  readonly swept: Swept;
}

/** A cut of the power: at a point, or right after the answer; what it leaves, and what is done with that first. */
export interface PlannedCut {
  readonly point: PowerPoint | undefined;
  readonly kind: CutKind;
  readonly next: NextOperation;
}

/** Operations that the sweep of killed processes knows, too. */
export function sweptCase(ground: CrashGround, name: SweptName): PowerCase {
  return { ground, swept: SWEPT[name] };
}

/** See {@link liveRestore}. */
export const liveCase = (ground: CrashGround): PowerCase => ({ ground, swept: liveRestore("long_term.sqlite") });

/** A process in which the operation can be carried out. */
export function workerFor({ ground }: PowerCase): PowerWorker {
  return new PowerWorker(ground.bundled.path("power-operate"));
}

/** Every point of a case, found by carrying it out. */
export async function pointsOfCase(power: PowerCase): Promise<readonly PowerPoint[]> {
  const { world } = power.ground;
  await world.bringBack(power.swept.shape);
  await using worker = workerFor(power);
  await using _other = await power.swept.beside?.(power.ground);
  return await powerPointsOf(worker, world.placed(await power.swept.operation(power.ground)));
}

/** Carries it out on the disk, cuts the power, starts again, and judges. The world of the ground lies on that disk. */
export async function cutPower(power: PowerCase, disk: PowerDisk, cut: PlannedCut, worker: PowerWorker): Promise<void> {
  const { ground, swept } = power;
  const outcome = await carryOut(power, disk, cut, worker).finally(() => disk.restart());
  try {
    await judgeLeft(ground, swept, outcome, cut.next);
    await judgeRepository(ground.world.memory);
  } catch (error) {
    const where = JSON.stringify({ ...cut, outcome: { ...outcome, result: outcome.result !== undefined } });
    throw new Error(`${where}: ${String(error)}`, { cause: error });
  }
}

async function carryOut(
  power: PowerCase,
  disk: PowerDisk,
  { point, kind }: PlannedCut,
  worker: PowerWorker,
): Promise<Outcome> {
  const { ground, swept } = power;
  await using running = worker;
  await ground.world.bringBack(swept.shape);
  await using _other = await power.swept.beside?.(power.ground);
  await disk.settle();
  const operation = ground.world.placed(await swept.operation(ground));
  const outcome = await running.run(operation, point && { ...point, command: disk.cutCommand(kind) });
  if (point === undefined) expect(outcome.error).toBeUndefined();
  if (!outcome.killed) await disk.cut(kind);
  return outcome;
}

async function judgeRepository(memory: string): Promise<void> {
  if (!existsSync(join(memory, ".git"))) return;
  const { stdout, stderr } = await execute("git", ["-C", memory, "fsck", "--full", "--no-progress"]);
  expect(`${stdout.toString()}${stderr}`).not.toMatch(/error|missing|broken|corrupt/);
}

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ground, groundOfAll, groundOfNotes, strike, SWEPT, type SweptName } from "./support/crash-judges.js";
import { CHANGING_CALLS, type CallPoint, type Fault, pointsOf, sampleOf } from "./support/crash-sweep.js";
import { havePrograms } from "./support/programs.js";

const LIMIT_MS = 3_600_000;
const KILL: Fault = { kill: true };
const FAULTS: readonly Fault[] = [{ error: "EIO" }, { error: "ENOSPC", from: "from_then_on" }];

/** `SWEEP=all` strikes at every point, which takes hours; otherwise so many of each operation, spread evenly. */
const KILLS = 12;
const FAILURES = 4;

/** The points of an operation with every fault; all failures are told together. */
async function sweep(ground: Ground, name: SweptName, faults: readonly Fault[], count: number): Promise<void> {
  const all = await pointsOfOperation(ground, name);
  const points = process.env["SWEEP"] === "all" ? all : sampleOf(all, count);
  const failures: string[] = [];
  for (const point of points) {
    for (const fault of faults) {
      await strike(ground, name, point, fault).catch((error: unknown) => failures.push(String(error)));
    }
  }
  console.log(`${name}: ${String(points.length * faults.length)} strikes, ${String(failures.length)} failures`);
  expect(failures).toEqual([]);
}

async function pointsOfOperation(ground: Ground, name: SweptName): Promise<readonly CallPoint[]> {
  await using world = await ground.world.copy();
  const { request } = SWEPT[name];
  const placed = "to" in request ? { ...request, to: world.outside } : request;
  return await pointsOf(world.operation(name, placed), CHANGING_CALLS);
}

const NAMES: readonly SweptName[] = ["snapshot", "restore", "delete", "export"];

describe.runIf(havePrograms("strace", "git")).each([
  ["notes and state values", groundOfNotes],
  ["notes, a database and a repository", groundOfAll],
] as const)("calls that change a file, over %s", (_what, make) => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await make();
  });
  afterAll(() => ground.world[Symbol.asyncDispose]());

  it.each(NAMES)("killed in a %s", { timeout: LIMIT_MS }, (name) => sweep(ground, name, [KILL], KILLS));
  it.each(NAMES)("failing in a %s", { timeout: LIMIT_MS }, (name) => sweep(ground, name, FAULTS, FAILURES));
});

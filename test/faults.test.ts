import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ground, groundOfNotes, strike, SWEPT, type SweptName } from "./support/crash-judges.js";
import { CHANGING_CALLS, pointsOf, sampleOf } from "./support/crash-sweep.js";
import { havePrograms } from "./support/programs.js";

const LIMIT_MS = 300_000;
const here = havePrograms("strace");
let ground: Ground;

beforeAll(async () => {
  if (here) ground = await groundOfNotes();
});
afterAll(async () => {
  if (here) await ground.world[Symbol.asyncDispose]();
});

async function pointsOfOperation(name: SweptName) {
  await using world = await ground.world.copy();
  const { request } = SWEPT[name];
  const placed = "to" in request ? { ...request, to: world.outside } : request;
  const points = await pointsOf(world.operation(name, placed), CHANGING_CALLS);
  expect(points.length).toBeGreaterThan(5);
  return points;
}

describe.runIf(here)("a process killed at any call that changes a file", () => {
  it.each([
    ["snapshot", "it exists whole or not at all", 8],
    ["restore", "the memory is wholly the old or wholly the new", 14],
    ["delete", "the snapshot is there or gone", 3],
    ["export", "what has the bundle's name is whole", 3],
  ] as const)("in a %s: %s", { timeout: LIMIT_MS }, async (name, _promise, count) => {
    const points = sampleOf(await pointsOfOperation(name), count);
    const outcomes = [];
    for (const point of points) outcomes.push(await strike(ground, name, point, { kill: true }));
    expect(outcomes.some(({ killed }) => killed)).toBe(true);
  });
});

describe.runIf(here)("a call that fails", () => {
  it.each([
    ["snapshot", 4],
    ["restore", 6],
    ["delete", 2],
    ["export", 2],
  ] as const)("in a %s: a typed error, and nothing half-made", { timeout: LIMIT_MS }, async (name, count) => {
    const points = sampleOf(await pointsOfOperation(name), count);
    const outcomes = [];
    for (const point of points) outcomes.push(await strike(ground, name, point, { error: "EIO" }));
    for (const point of sampleOf(points, 2))
      outcomes.push(await strike(ground, name, point, { error: "ENOSPC", from: "from_then_on" }));
    expect(outcomes.some(({ error }) => error !== undefined)).toBe(true);
  });

  it("around the last word of a restore, and from then on: the memory is whole, old or new", {
    timeout: LIMIT_MS,
  }, async () => {
    const points = (await pointsOfOperation("restore")).filter(({ syscall }) => syscall === "fsync");
    for (const point of points.slice(-8))
      await strike(ground, "restore", point, { error: "ENOSPC", from: "from_then_on" });
  });
});

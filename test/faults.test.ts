import type { DiskFault } from "@keepsake/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CrashGround, groundOfNotes } from "./support/crash-grounds.js";
import { sweepOperation, SWEPT_NAMES } from "./support/crash-judges.js";
import { havePrograms } from "./support/programs.js";

const title = "notes and state values";
const KILL: DiskFault = { kill: "caller" };
const FAILURES: readonly DiskFault[] = [{ error: "EIO" }, { error: "ENOSPC", thenOn: true }, { short: true }];

/** All points are struck by the slow tests. */
describe.runIf(havePrograms("cc"))("over notes and state values, some calls of each operation", () => {
  let ground: CrashGround;
  beforeAll(async () => {
    ground = await groundOfNotes();
  });
  afterAll(() => ground[Symbol.asyncDispose]());

  it.each(SWEPT_NAMES)("%s, killed: wholly before or wholly after it", async (name) => {
    // Taking back has the most that must not be done twice.
    const pointsOfEach = name === "recover that takes back" ? 12 : 5;
    const { strikes } = await sweepOperation(ground, name, { title, faults: [KILL], pointsOfEach });
    expect(strikes).toEqual({ killed: pointsOfEach });
  });

  it.each(SWEPT_NAMES)("%s, failing: a typed error and nothing half-made, or made good", async (name) => {
    await sweepOperation(ground, name, { title, faults: FAILURES, pointsOfEach: 4 });
  });
});

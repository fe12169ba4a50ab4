import type { DiskFault } from "@keepsake/testkit";
import { afterAll, beforeAll, describe, it } from "vitest";
import { type CrashGround, groundOfNotes } from "./support/crash-grounds.js";
import { sweepOperation, SWEPT_NAMES } from "./support/crash-judges.js";
import { havePrograms } from "./support/programs.js";

const title = "notes and state values";
const LIMIT_MS = 1_800_000;
const KILL: DiskFault = { kill: "caller" };
const FAILURES: readonly DiskFault[] = [{ error: "EIO" }, { error: "ENOSPC", thenOn: true }, { short: true }];

/** Killed at every call; failing at so many in every way, or with `SWEEP=all` at all. */
const FAILING = process.env["SWEEP"] === "all" ? {} : { pointsOfEach: 10 };

describe.runIf(havePrograms("cc"))("over notes and state values, every call of each operation", () => {
  let ground: CrashGround;
  beforeAll(async () => {
    ground = await groundOfNotes();
  });
  afterAll(() => ground[Symbol.asyncDispose]());

  it.each(SWEPT_NAMES)("%s, killed: wholly before or wholly after it", { timeout: LIMIT_MS }, async (name) => {
    await sweepOperation(ground, name, { title, faults: [KILL] });
  });

  it.each(SWEPT_NAMES)(
    "%s, failing: a typed error and nothing half-made, or made good",
    {
      timeout: LIMIT_MS,
    },
    async (name) => {
      await sweepOperation(ground, name, { title, faults: FAILURES, ...FAILING });
    },
  );
});

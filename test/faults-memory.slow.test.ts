import type { DiskFault } from "@keepsake/testkit";
import { afterAll, beforeAll, describe, it } from "vitest";
import { type CrashGround, groundOfAll } from "./support/crash-grounds.js";
import { sweepOperation, type SweptName } from "./support/crash-judges.js";
import { havePrograms } from "./support/programs.js";

const title = "a whole memory";
const LIMIT_MS = 3_600_000;
/** Databases are read and written by a helper: it is killed, or the process that it works for. */
const KILLS: readonly DiskFault[] = [{ kill: "caller" }, { kill: "main" }];
const FAILURES: readonly DiskFault[] = [{ error: "EIO" }, { error: "ENOSPC", thenOn: true }, { short: true }];

/** The others do not look at the memory: what they do is the same over notes. A restore has a file of its own. */
const NAMES: readonly SweptName[] = ["snapshot", "recover that takes back", "recover that completes"];

/** Failing at so many calls in every way, or with `SWEEP=all` at all. */
const FAILING = process.env["SWEEP"] === "all" ? {} : { pointsOfEach: 6 };

describe.runIf(havePrograms("cc", "git"))(
  "over notes, a database and a repository, every call of each operation",
  () => {
    let ground: CrashGround;
    beforeAll(async () => {
      ground = await groundOfAll();
    });
    afterAll(() => ground[Symbol.asyncDispose]());

    it.each(NAMES)("%s, killed: wholly before or wholly after it", { timeout: LIMIT_MS }, async (name) => {
      await sweepOperation(ground, name, { title, faults: KILLS });
    });

    it.each([...NAMES, "restore"] satisfies SweptName[])(
      "%s, failing: a typed error and nothing half-made, or made good",
      { timeout: LIMIT_MS },
      async (name) => {
        await sweepOperation(ground, name, { title, faults: FAILURES, ...FAILING });
      },
    );
  },
);

import type { DiskFault } from "@keepsake/testkit";
import { afterAll, beforeAll, describe, it } from "vitest";
import { type CrashGround, groundOfAll, groundOfDatabase, groundOfPair } from "./support/crash-grounds.js";
import { liveRestore, sweepOperation, sweepSwept, type SweptName } from "./support/crash-judges.js";
import { havePrograms } from "./support/programs.js";

const LIMIT_MS = 1_800_000;
/** Databases are read and written by a helper: it is killed, or the process that it works for. */
const KILLS: readonly DiskFault[] = [{ kill: "caller" }, { kill: "main" }];
const FAILURES: readonly DiskFault[] = [{ error: "EIO" }, { error: "ENOSPC", thenOn: true }, { short: true }];

/** The others do not look at the memory: what they do is the same over notes. */
const NAMES: readonly SweptName[] = ["snapshot", "restore", "recover that takes back", "recover that completes"];

/** `SWEEP=all` strikes at every point in every way. */
const some = (pointsOfEach: number): { readonly pointsOfEach?: number } =>
  process.env["SWEEP"] === "all" ? {} : { pointsOfEach };

describe.runIf(havePrograms("cc"))("over a database, many calls of each operation", () => {
  let ground: CrashGround;
  beforeAll(async () => {
    ground = await groundOfDatabase();
  });
  afterAll(() => ground[Symbol.asyncDispose]());

  it.each(NAMES)("%s, killed: wholly before or wholly after it", { timeout: LIMIT_MS }, async (name) => {
    await sweepOperation(ground, name, { title: "a database", faults: KILLS, ...some(30) });
  });

  it.each(NAMES)(
    "%s, failing: a typed error and nothing half-made, or made good",
    {
      timeout: LIMIT_MS,
    },
    async (name) => {
      await sweepOperation(ground, name, { title: "a database", faults: FAILURES, ...some(6) });
    },
  );
});

describe.runIf(havePrograms("cc", "sqlite3"))("through two databases that another process has open", () => {
  it("restore, killed: both are wholly before or wholly after it", { timeout: LIMIT_MS }, async () => {
    await using ground = await groundOfPair();
    const swept = liveRestore("long_term.sqlite", "short.sqlite");
    await sweepSwept(ground, swept, "restore", { title: "two open databases", faults: KILLS, ...some(20) });
  });
});

describe.runIf(havePrograms("cc", "git"))(
  "over notes, a database and a repository, many calls of each operation",
  () => {
    let ground: CrashGround;
    beforeAll(async () => {
      ground = await groundOfAll();
    });
    afterAll(() => ground[Symbol.asyncDispose]());

    it.each(NAMES)("%s, killed: wholly before or wholly after it", { timeout: LIMIT_MS }, async (name) => {
      const count = name === "restore" ? 16 : 5;
      await sweepOperation(ground, name, { title: "a whole memory", faults: KILLS, ...some(count) });
    });

    it("restore, failing: a typed error and nothing half-made, or made good", { timeout: LIMIT_MS }, async () => {
      await sweepOperation(ground, "restore", { title: "a whole memory", faults: FAILURES, ...some(5) });
    });
  },
);

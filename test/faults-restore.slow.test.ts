import type { DiskFault } from "@keepsake/testkit";
import { describe, it } from "vitest";
import { groundOfAll, groundOfPair } from "./support/crash-grounds.js";
import { liveRestore, sweepOperation, sweepSwept } from "./support/crash-judges.js";
import { havePrograms } from "./support/programs.js";

const LIMIT_MS = 3_600_000;
const KILLS: readonly DiskFault[] = [{ kill: "caller" }, { kill: "main" }];

describe.runIf(havePrograms("cc", "git"))("a restore, killed at every call", () => {
  it("of notes, a database and a repository: wholly before or wholly after it", { timeout: LIMIT_MS }, async () => {
    await using ground = await groundOfAll();
    await sweepOperation(ground, "restore", { title: "a whole memory", faults: KILLS });
  });
});

describe.runIf(havePrograms("cc", "sqlite3"))("a restore through two open databases, killed at every call", () => {
  it("both are wholly before or wholly after it", { timeout: LIMIT_MS }, async () => {
    await using ground = await groundOfPair();
    const swept = liveRestore("long_term.sqlite", "short.sqlite");
    await sweepSwept(ground, swept, "restore", { title: "two open databases", faults: KILLS });
  });
});

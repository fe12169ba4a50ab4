import { describe, expect, it } from "vitest";
import { type CutScenario, isSkewed, proveCut, tellProof } from "./support/cut-proof.js";
import { havePrograms } from "./support/programs.js";

const tools = havePrograms("zstd", "tar", "sqlite3", "git");

/** A few of what the slow test does two hundred times. */
const SCENARIOS: readonly CutScenario[] = [
  { what: "four databases, no pause", snapshots: 4, journalMode: "wal", withFiles: false, longestPauseMs: 0 },
  { what: "everything, pauses up to 20 ms", snapshots: 4, journalMode: "wal", withFiles: true, longestPauseMs: 20 },
  {
    what: "among 400 notes, pauses up to 200 ms",
    snapshots: 3,
    journalMode: "wal",
    withFiles: true,
    longestPauseMs: 200,
    otherNotes: 400,
  },
];

describe.runIf(tools)("programs that take turns in writing one number everywhere", () => {
  it.each(SCENARIOS)("$what: the number is the same all over every bundle", async (scenario) => {
    const proof = await proveCut(scenario);
    tellProof(scenario, proof);
    expect(proof.naive.some(isSkewed), "copies one after the other disagree").toBe(true);
    expect(proof.bundles.filter(isSkewed)).toEqual([]);
    expect(proof.bundles).toHaveLength(scenario.snapshots);
    for (const cut of proof.cuts) expect(["instant", "fenced"]).toContain(cut?.consistency);
  });
});

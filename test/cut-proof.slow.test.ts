import { describe, expect, it } from "vitest";
import { type CutScenario, isSkewed, proveCut, tellProof } from "./support/cut-proof.js";
import { havePrograms } from "./support/programs.js";

const tools = havePrograms("zstd", "tar", "sqlite3", "git");

/** 200 snapshots in all. */
const SCENARIOS: readonly CutScenario[] = [
  { what: "four databases, no pause", snapshots: 70, journalMode: "wal", withFiles: false, longestPauseMs: 0 },
  { what: "everything, pauses up to 20 ms", snapshots: 60, journalMode: "wal", withFiles: true, longestPauseMs: 20 },
  {
    what: "rollback journals, pauses up to 40 ms",
    snapshots: 30,
    journalMode: "delete",
    withFiles: true,
    longestPauseMs: 40,
  },
  // Too many to be looked at while writers wait: nothing but an unchanged fingerprint proves the instant.
  {
    what: "among 400 notes, pauses up to 200 ms",
    snapshots: 40,
    journalMode: "wal",
    withFiles: true,
    longestPauseMs: 200,
    otherNotes: 400,
  },
];

describe.runIf(tools)("programs that take turns in writing one number everywhere", () => {
  it.each(SCENARIOS)(
    "$what: the number is the same all over every bundle",
    async (scenario) => {
      const proof = await proveCut(scenario);
      tellProof(scenario, proof);
      expect(proof.naive.some(isSkewed), "copies one after the other disagree").toBe(true);
      expect(proof.bundles.filter(isSkewed)).toEqual([]);
      expect(proof.bundles).toHaveLength(scenario.snapshots);
      for (const cut of proof.cuts) expect(["instant", "fenced"]).toContain(cut?.consistency);
      expect(proof.refusals.filter((code) => code !== "E_SOURCE_CHANGED" && code !== "E_SOURCE_BUSY")).toEqual([]);
      expect(proof.turns).toBeGreaterThan(0);
    },
    900_000,
  );
});

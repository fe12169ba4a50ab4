import type { SnapshotRecord } from "@keepsake/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isIndispensable } from "../src/catalog/indispensable.js";
import { decideRetention } from "../src/catalog/retention.js";
import type { RetentionRules } from "../src/index.js";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 23, 12);

/** Newest first, one every `stepMs`, ids ascending with time. */
function history(
  count: number,
  stepMs: number,
  more: (index: number) => Partial<SnapshotRecord> = () => ({}),
): SnapshotRecord[] {
  return Array.from({ length: count }, (_value, index) => {
    const id = `01890a5d-ac96-774b-bcce-${String(1_000_000 - index).padStart(12, "0")}`;
    return {
      recordVersion: 1,
      id,
      agentId: "ana",
      tenant: "default",
      createdAtMs: NOW - index * stepMs,
      createdBy: "a test",
      bundlePath: `tenants/default/snapshots/ana/${id}.tar.zst`,
      bundleSizeBytes: 1,
      bundleSha256: "0".repeat(64),
      fileSha256: "0".repeat(64),
      manifestSeal: "0".repeat(64),
      schemaVersions: {},
      encrypted: false,
      redactionsApplied: false,
      codecs: ["zstd"],
      artifactCount: 1,
      complete: true,
      ...more(index),
    };
  });
}

const idsAt = (snapshots: SnapshotRecord[], indexes: readonly number[]): ReadonlySet<string> =>
  new Set(snapshots.filter((_record, index) => indexes.includes(index)).map(({ id }) => id));

const keptIndexes = (snapshots: SnapshotRecord[], rules: RetentionRules, missing: readonly number[] = []): number[] =>
  decideRetention({ snapshots, missing: idsAt(snapshots, missing), rules, nowMs: NOW }).flatMap(({ keep }, index) =>
    keep ? [index] : [],
  );

describe("retention", () => {
  it("keeps the newest N, and of those only what is young enough", () => {
    expect(keptIndexes(history(10, DAY_MS), { last: 3 })).toEqual([0, 1, 2]);
    expect(keptIndexes(history(10, DAY_MS), { last: 8, maxAgeDays: 4 })).toEqual([0, 1, 2, 3, 4]);
  });

  it("keeps all without a rule, and the young ones with an age alone", () => {
    expect(keptIndexes(history(4, DAY_MS), {})).toEqual([0, 1, 2, 3]);
    expect(keptIndexes(history(4, DAY_MS), { maxAgeDays: 1 })).toEqual([0, 1]);
  });

  it("keeps the newest of each calendar period that has one", () => {
    const twiceADay = history(12, DAY_MS / 2);
    expect(keptIndexes(twiceADay, { daily: 3 })).toEqual([0, 2, 4]);
    expect(keptIndexes(history(90, DAY_MS), { monthly: 3 })).toEqual([0, 23, 54]);
    expect(keptIndexes(history(20, DAY_MS), { weekly: 2 })).toEqual([0, 1]);
    // A gap is no reason to keep less: periods without a snapshot do not count.
    const yearly = history(3, 400 * DAY_MS);
    expect(keptIndexes(yearly, { yearly: 3 })).toEqual([0, 1, 2]);
  });

  it("does not let age take away what a calendar rule keeps", () => {
    expect(keptIndexes(history(90, DAY_MS), { last: 2, maxAgeDays: 10, monthly: 2 })).toEqual([0, 1, 23]);
  });

  it("counts automatic snapshots apart, so that they push nobody out", () => {
    const snapshots = history(10, 1000, (index) => (index < 8 ? { label: "auto:pre-dream-1" } : {}));
    expect(keptIndexes(snapshots, { last: 2 })).toEqual([0, 1, 8, 9]);
  });

  it("gives no place to one whose bundle is missing, and leaves it alone", () => {
    expect(keptIndexes(history(6, DAY_MS), { last: 2 }, [0, 1])).toEqual([0, 1, 2, 3]);
    expect(keptIndexes(history(6, DAY_MS), { daily: 1 }, [0, 5])).toEqual([0, 1, 5]);
    expect(keptIndexes(history(4, DAY_MS), { maxAgeDays: 1 }, [1, 3])).toEqual([0, 1, 3]);
    const [decision] = decideRetention({
      snapshots: history(1, DAY_MS, () => ({ verifiedAtMs: NOW })),
      missing: idsAt(history(1, DAY_MS), [0]),
      rules: { last: 1 },
      nowMs: NOW,
    });
    expect(decision).toMatchObject({ keep: true, reason: "its bundle is missing" });
  });

  it("never decides against the last one or the newest verified one, whatever the rules", () => {
    const rule = fc.option(fc.nat(3), { nil: undefined });
    const rules = fc.record({
      last: rule,
      maxAgeDays: rule,
      withinDays: rule,
      hourly: rule,
      daily: rule,
      weekly: rule,
    });
    fc.assert(
      fc.property(
        rules,
        fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
        fc.nat(40),
        fc.uniqueArray(fc.nat(11), { maxLength: 11 }),
        (some, verified, days, missing) => {
          const snapshots = history(verified.length, days * DAY_MS, (index) =>
            verified[index] === true ? { verifiedAtMs: NOW } : {},
          ).map((record) => ({ ...record, createdAtMs: record.createdAtMs - 50 * DAY_MS }));
          const kept = keptIndexes(snapshots, some, missing);
          const isWhole = (index: number) => !missing.includes(index);
          const whole = [...snapshots.keys()].filter(isWhole);
          expect(kept.filter(isWhole).length).toBeGreaterThan(whole.length === 0 ? -1 : 0);
          const newestVerified = whole.find((index) => verified[index] === true);
          if (newestVerified !== undefined) expect(kept).toContain(newestVerified);
        },
      ),
    );
  });
});

describe("an indispensable snapshot", () => {
  it("is the last one, and the newest verified one", () => {
    const [first, second, third] = history(3, 1000, (index) => (index > 0 ? { verifiedAtMs: NOW } : {}));
    if (first === undefined || second === undefined || third === undefined) throw new Error("three were made");
    expect(isIndispensable(first, [first])).toBe("last");
    expect([first, second, third].map((record) => isIndispensable(record, [third, first, second]))).toEqual([
      undefined,
      "newest_verified",
      undefined,
    ]);
  });
});

import type { SnapshotRecord } from "@keepsake/core";
import type { RetentionRules } from "../memory-snapshotter.js";
import { isIndispensable } from "./indispensable.js";

/** What retention decides for one snapshot, and why. */
export interface RetentionDecision {
  readonly record: SnapshotRecord;
  readonly keep: boolean;
  readonly reason: string;
}

const DAY_MS = 86_400_000;
/** Labels of snapshots that Keepsake takes by itself begin so. */
const AUTOMATIC = "auto:";

/** What retention is decided on. */
interface RetentionCase {
  /** all of one agent, newest first */
  readonly snapshots: readonly SnapshotRecord[];
  /** those of them whose bundle is not in the store */
  readonly missing: ReadonlySet<string>;
  readonly rules: RetentionRules;
  readonly nowMs: number;
}

/**
 * Decides for every snapshot of one agent. Automatic snapshots are counted apart, so that they never push out the
 * operator's. The last one, the newest verified and the newest proven one stay whatever the rules say.
 *
 * One whose bundle is missing can bring nothing back, so it takes no place among those that are kept. It stays all the same: its
 * bundle may lie on a disk that is not mounted, and without the record it would be swept there as nobody's.
 */
export function decideRetention({ snapshots, missing, rules, nowMs }: RetentionCase): readonly RetentionDecision[] {
  const reasons = new Map<string, string>();
  const whole = snapshots.filter(({ id }) => !missing.has(id));
  const isAutomatic = ({ label }: SnapshotRecord) => label?.startsWith(AUTOMATIC) === true;
  for (const group of [whole.filter((s) => !isAutomatic(s)), whole.filter(isAutomatic)]) {
    for (const [id, reason] of keptOf(group, rules, nowMs)) reasons.set(id, reason);
  }
  protectIndispensable(whole, reasons);
  for (const id of missing) reasons.set(id, "its bundle is missing");
  return snapshots.map((record) => {
    const reason = reasons.get(record.id);
    return { record, keep: reason !== undefined, reason: reason ?? dropReason(record, rules, nowMs) };
  });
}

const KEPT_BECAUSE = {
  last: "last snapshot",
  newest_proven: "newest proven",
  newest_verified: "newest verified",
} as const;

/** Also what would become indispensable by the others' deletion is kept: at least one snapshot stays. */
function protectIndispensable(snapshots: readonly SnapshotRecord[], reasons: Map<string, string>): void {
  for (const record of snapshots) {
    const why = isIndispensable(record, snapshots);
    if (why !== undefined && !reasons.has(record.id)) reasons.set(record.id, KEPT_BECAUSE[why]);
  }
  const [newest] = snapshots;
  if (reasons.size === 0 && newest !== undefined) reasons.set(newest.id, "last snapshot");
}

function dropReason(record: SnapshotRecord, { maxAgeDays }: RetentionRules, nowMs: number): string {
  const tooOld = maxAgeDays !== undefined && nowMs - record.createdAtMs > maxAgeDays * DAY_MS;
  return tooOld ? `older than ${String(maxAgeDays)} days` : "no rule keeps it";
}

function* keptOf(group: readonly SnapshotRecord[], rules: RetentionRules, nowMs: number): Generator<[string, string]> {
  const { last, maxAgeDays, withinDays } = rules;
  const ageDays = (record: SnapshotRecord) => (nowMs - record.createdAtMs) / DAY_MS;
  const calendar = PERIODS.filter(({ rule }) => rules[rule] !== undefined);
  if (last === undefined && withinDays === undefined && calendar.length === 0) {
    for (const record of group) {
      if (maxAgeDays === undefined || ageDays(record) <= maxAgeDays) yield [record.id, "no rule drops it"];
    }
    return;
  }
  for (const { rule, periodOf } of calendar) yield* newestOfPeriods(group, rules[rule] ?? 0, rule, periodOf);
  for (const [index, record] of group.entries()) {
    if (withinDays !== undefined && ageDays(record) <= withinDays)
      yield [record.id, `within ${String(withinDays)} days`];
    const young = maxAgeDays === undefined || ageDays(record) <= maxAgeDays;
    if (last !== undefined && index < last && young) yield [record.id, `last ${String(last)}`];
  }
}

/** The newest snapshot of each of the newest `count` periods that have one (grandfather, father, son). */
function* newestOfPeriods(
  group: readonly SnapshotRecord[],
  count: number,
  rule: string,
  periodOf: (date: Date) => string,
): Generator<[string, string]> {
  const seen = new Set<string>();
  for (const record of group) {
    const period = periodOf(new Date(record.createdAtMs));
    if (seen.has(period)) continue;
    if (seen.size === count) return;
    seen.add(period);
    yield [record.id, `${rule} ${period}`];
  }
}

/** Calendar periods in UTC; weeks as of ISO 8601. */
const PERIODS = [
  { rule: "hourly", periodOf: (date: Date) => date.toISOString().slice(0, 13) },
  { rule: "daily", periodOf: (date: Date) => date.toISOString().slice(0, 10) },
  { rule: "weekly", periodOf: isoWeek },
  { rule: "monthly", periodOf: (date: Date) => date.toISOString().slice(0, 7) },
  { rule: "yearly", periodOf: (date: Date) => date.toISOString().slice(0, 4) },
] as const;

/** The week's year is the year of its Thursday. */
function isoWeek(date: Date): string {
  const thursday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 3 - ((thursday.getUTCDay() + 6) % 7));
  const yearStart = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = 1 + Math.floor((thursday.getTime() - yearStart) / (7 * DAY_MS));
  return `${String(thursday.getUTCFullYear())}-W${String(week).padStart(2, "0")}`;
}

import type { SnapshotRecord } from "@keepsake/core";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import { type Column, table } from "../output/table.js";
import { ageText, bytesText, durationText, timeText } from "../output/units.js";

const SHORTEST = 8;

/** How many characters of these ids tell them apart. UUIDv7s of one minute share their first eight. */
export function shortLength(ids: readonly string[]): number {
  const sorted = [...new Set(ids)].sort();
  let length = SHORTEST;
  for (let index = 1; index < sorted.length; index++) {
    const [before, after] = [sorted[index - 1] ?? "", sorted[index] ?? ""];
    while (length < after.length && before.slice(0, length) === after.slice(0, length)) length++;
  }
  return length;
}

/** "encrypted, redacted, incomplete, proven 3 d ago (restores in 1.2 s)" */
export function flagsOf(record: SnapshotRecord, nowMs: number): string {
  const flags = [
    record.encrypted ? "encrypted" : "",
    record.redactionsApplied ? "redacted" : "",
    record.complete ? "" : "incomplete",
    provenText(record, nowMs) ?? (record.verifiedAtMs !== undefined ? "verified" : ""),
  ];
  return flags.filter((flag) => flag !== "").join(", ");
}

function provenText({ provenAtMs, provenRestoreMs }: SnapshotRecord, nowMs: number): string | undefined {
  if (provenAtMs === undefined) return undefined;
  const takes = provenRestoreMs === undefined ? "" : ` (restores in ${durationText(provenRestoreMs)})`;
  return `proven ${ageText(provenAtMs, nowMs)}${takes}`;
}

/** The table of `list`. */
export function recordTable(
  records: readonly SnapshotRecord[],
  withAgents: boolean,
  nowMs: number,
  style: Style,
): string {
  const length = shortLength(records.map((record) => record.id));
  const columns: Column[] = [
    { head: "ID", paint: style.cyan },
    { head: "TENANT" },
    { head: "AGENT" },
    { head: "CREATED" },
    { head: "AGE" },
    { head: "SIZE", align: "right" },
    { head: "ARTIFACTS", align: "right" },
    { head: "LABEL" },
    { head: "NOTES", paint: style.yellow },
  ];
  const rows = records.map((record) => [
    record.id.slice(0, length),
    withAgents ? record.tenant : "",
    withAgents ? record.agentId : "",
    timeText(record.createdAtMs),
    ageText(record.createdAtMs, nowMs),
    bytesText(record.bundleSizeBytes),
    String(record.artifactCount),
    printable(record.label ?? ""),
    flagsOf(record, nowMs),
  ]);
  return table(columns, rows, style);
}

/** One snapshot in a sentence: `01998f3e "before the upgrade", taken 3 d ago (12 MiB)`. */
export function recordSentence(record: SnapshotRecord, nowMs: number): string {
  const label = record.label === undefined ? "" : ` "${printable(record.label)}"`;
  return `${record.id}${label}, taken ${ageText(record.createdAtMs, nowMs)} (${bytesText(record.bundleSizeBytes)})`;
}

/**
 * Which snapshot a reference means, to name it in a question. The engine decides; what is found here is handed to it by
 * its whole id.
 *
 * @param records newest first
 * @returns undefined when it is none, or not the only one
 */
export function findRecord(records: readonly SnapshotRecord[], reference: string): SnapshotRecord | undefined {
  const latest = /^latest(?:~(\d{1,9}))?$/.exec(reference);
  if (latest !== null) return records[Number(latest[1] ?? 0)];
  if (reference.length < 4) return undefined;
  const fitting = records.filter((record) => record.id.startsWith(reference));
  return fitting.length === 1 ? fitting[0] : undefined;
}

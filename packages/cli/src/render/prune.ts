import type { PruneReport } from "@keepsake/engine";
import type { Style } from "../output/style.js";
import { table } from "../output/table.js";
import { countText } from "../output/units.js";

/** Every snapshot that was looked at, what became of it, and why. */
export function pruneText(report: PruneReport, dryRun: boolean, style: Style): string {
  const row =
    (word: string) =>
    (id: string): string[] => [word, id, report.reasons[id] ?? ""];
  const rows = [...report.deleted.map(row(dryRun ? "would delete" : "deleted")), ...report.kept.map(row("kept"))];
  const verdict = `${countText(report.kept.length, "snapshot")} kept, ${String(report.deleted.length)} ${dryRun ? "would be deleted" : "deleted"}.\n`;
  return rows.length === 0 ? verdict : table([{ head: "" }, { head: "ID" }, { head: "WHY" }], rows, style) + verdict;
}

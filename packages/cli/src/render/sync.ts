import type { SyncReport } from "@keepsake/engine";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import { table } from "../output/table.js";
import { bytesText, countText } from "../output/units.js";

/** What was copied and put right, and what differs. */
export function syncText({ copied, repaired, deleted, differing, dryRun }: SyncReport, style: Style): string {
  const rows = [
    ...copied.map((one) => ({ ...one, what: style.green(dryRun ? "to copy" : "copied"), more: bytesText(one.bytes) })),
    ...repaired.map((one) => ({
      ...one,
      what: style.green(dryRun ? "to repair" : "repaired"),
      more: one.parts.join(", "),
    })),
    ...deleted.map((one) => ({ ...one, what: style.yellow(dryRun ? "to delete" : "deleted"), more: "" })),
    ...differing.map((one) => ({ ...one, what: style.red("differs"), more: one.message })),
  ];
  if (rows.length === 0) return "Both stores have the same snapshots.\n";
  const heads = ["result", "agent", "snapshot", "from", "to", ""].map((head) => ({ head }));
  const cells = rows.map(({ what, agent, id, from, to, more }) => [
    what,
    ...[agent, id, from, to, more].map(printable),
  ]);
  const bytes = copied.reduce((sum, one) => sum + one.bytes, 0);
  const mended =
    repaired.length === 0 ? "" : `; ${countText(repaired.length, "snapshot")} ${dryRun ? "to repair" : "repaired"}`;
  const total = `${countText(copied.length, "snapshot")} ${dryRun ? "to copy" : "copied"}, ${bytesText(bytes)}${mended}.`;
  return `${table(heads, cells, style)}\n${total}\n`;
}

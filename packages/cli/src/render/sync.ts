import type { SyncReport } from "@keepsake/engine";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import { table } from "../output/table.js";
import { bytesText, countText } from "../output/units.js";

/** What was copied, and what differs. */
export function syncText({ copied, deleted, differing, dryRun }: SyncReport, style: Style): string {
  const rows = [
    ...copied.map((one) => ({ ...one, what: style.green(dryRun ? "to copy" : "copied"), more: bytesText(one.bytes) })),
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
  const total = `${countText(copied.length, "snapshot")} ${dryRun ? "to copy" : "copied"}, ${bytesText(bytes)}.`;
  return `${table(heads, cells, style)}\n${total}\n`;
}

import type { PlanItem, RestoreReport } from "@keepsake/engine";
import { sourcesText } from "./diff.js";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import { facts } from "../output/table.js";

const SHOWN = 60;
const ACTIONS = ["create", "replace", "delete", "set_attributes"] as const;
const MARKS = { create: "+", replace: "~", delete: "-", set_attributes: "." } as const;
const WORDS = { create: "created", replace: "replaced", delete: "deleted", set_attributes: "given other attributes" };

/** What replaces or deletes what is there now; everything else destroys nothing. */
export function destructiveItems(plan: readonly PlanItem[]): readonly PlanItem[] {
  return plan.filter((item) => item.action === "replace" || item.action === "delete");
}

/** "3 created, 5 replaced, 2 deleted"; "nothing" for an empty plan. */
export function planSummary(plan: readonly PlanItem[]): string {
  const parts = ACTIONS.flatMap((action) => {
    const count = plan.filter((item) => item.action === action).length;
    return count === 0 ? [] : [`${String(count)} ${WORDS[action]}`];
  });
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

/** The plan, a line for each change. */
export function planText(plan: readonly PlanItem[], style: Style): string {
  const paint = { create: style.green, replace: style.yellow, delete: style.red, set_attributes: style.dim };
  const lines = plan.slice(0, SHOWN).map((item) => {
    const detail = item.detail === undefined ? "" : style.dim(`  ${printable(item.detail)}`);
    return `  ${paint[item.action](`${MARKS[item.action]} ${printable(`${item.source}/${item.path}`)}`)}${detail}\n`;
  });
  const rest = plan.length - lines.length;
  return lines.join("") + (rest > 0 ? style.dim(`  … and ${String(rest)} more (--json has all)\n`) : "");
}

/** What is in the snapshot and what is live now, as a diff between two snapshots tells it. */
function differenceText({ difference = [] }: RestoreReport, style: Style): string {
  const text = sourcesText(difference, style);
  return text === "" ? "" : `\nFrom what is live now to the snapshot:\n\n${text}\n`;
}

/** What a restore did, or would do. */
export function restoreText(report: RestoreReport, style: Style): string {
  if (report.dryRun) {
    const head = `Restoring ${report.from} would change ${report.plan.length === 0 ? "nothing" : "this"}:\n`;
    return report.plan.length === 0
      ? head.replace(":", ".")
      : `${head}${planText(report.plan, style)}${differenceText(report, style)}${planSummary(report.plan)}; nothing was changed yet.\n`;
  }
  const head = facts(
    [
      ["restored", style.bold(report.from)],
      ["agent", report.agentId],
      ["only", report.only?.map(printable).join(", ")],
      ["changes", planSummary(report.plan)],
      ["databases", report.sqliteRestoredDbs.map(printable).join(", ")],
      ["state", report.stateFilesRestored.map(printable).join(", ")],
      ["git HEAD", report.gitResetOid],
    ],
    style,
  );
  const undo =
    report.preSnapshot === undefined
      ? style.yellow("No snapshot was taken before: this cannot be undone.")
      : `Undo with: keepsake restore --agent ${report.agentId} ${report.preSnapshot}`;
  return `${head}${undo}\n`;
}

import type { RedactionReport } from "@keepsake/core";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import { table } from "../output/table.js";
import { countText } from "../output/units.js";

/** `show` lists at most so many lines of each; `--json` has them all. */
const SHOWN = 40;

/** "3 matches in 2 artifacts, 1 name (policy default); 1 not scanned; history of git: rewritten" */
export function redactionText(redactions: RedactionReport): string {
  const { matchesRedacted, artifactsTouched, renamed, warnings, unscanned, history } = redactions;
  const places = countText(artifactsTouched.length, "artifact");
  const names = renamed === 0 ? "" : `, ${countText(renamed, "name")} changed`;
  const warned =
    warnings.length === 0
      ? ""
      : `; ${String(warnings.reduce((sum, one) => sum + one.count, 0))} left in it, with a warning`;
  const left = unscanned.length === 0 ? "" : `; ${String(unscanned.length)} not scanned`;
  const histories = history.map(({ source, outcome }) => `; history of ${source}: ${outcome}`).join("");
  const found = `${countText(matchesRedacted, "match", "matches")} in ${places}${names}`;
  return printable(`${found} (policy ${redactions.policy})${warned}${left}${histories}`);
}

/** What was found and left, a line each. */
export function warningLines(redactions: RedactionReport | undefined): readonly string[] {
  return (redactions?.warnings ?? []).map(({ artifact, rule, count }) =>
    printable(`${artifact} holds ${countText(count, "match", "matches")} of the rule ${rule}, left as they are.`),
  );
}

/** What was found where, and what could not be looked through. */
export function redactionLists(redactions: RedactionReport | undefined, style: Style): readonly string[] {
  if (redactions === undefined) return [];
  const { findings, unscanned } = redactions;
  const lists: string[] = [];
  if (findings.length > 0) {
    const rows = findings
      .slice(0, SHOWN)
      .map(({ artifact, rule, count }) => [printable(artifact), rule, String(count)]);
    const heads = [{ head: "REDACTED IN" }, { head: "RULE" }, { head: "TIMES", align: "right" as const }];
    lists.push(table(heads, rows, style) + more(findings.length, style));
  }
  if (unscanned.length > 0) {
    const rows = unscanned.slice(0, SHOWN).map(({ path, reason }) => [printable(path), reason]);
    lists.push(table([{ head: "NOT SCANNED" }, { head: "REASON" }], rows, style) + more(unscanned.length, style));
  }
  return lists;
}

function more(count: number, style: Style): string {
  return count <= SHOWN ? "" : `${style.dim(`… and ${String(count - SHOWN)} more (--json has all)`)}\n`;
}

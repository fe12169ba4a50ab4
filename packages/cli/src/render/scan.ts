import type { ScanFinding, ScanReport } from "@keepsake/engine";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import { table } from "../output/table.js";
import { countText } from "../output/units.js";

/** Of the id of a commit, in characters: git finds it by these. */
const SHOWN_ID = 12;

/** The findings with their places; what they are only as far as their kind shows. */
export function scanText({ findings, unscanned, artifacts }: ScanReport, style: Style): string {
  const found = findings.length === 0 ? "No secrets found" : `${countText(findings.length, "secret")} found`;
  const parts = [`${found} in ${countText(artifacts, "artifact")}.\n`];
  if (findings.length > 0) {
    const rows = findings.map((one) => [
      printable(placeOf(one)),
      one.rule,
      one.mode === "redact" ? "" : one.mode,
      printable(one.masked),
    ]);
    const heads = [{ head: "PLACE" }, { head: "RULE", paint: style.yellow }, { head: "MODE" }, { head: "SECRET" }];
    parts.push(table(heads, rows, style));
  }
  if (unscanned.length > 0) {
    const rows = unscanned.map(({ path, reason }) => [printable(path), reason]);
    parts.push(table([{ head: "NOT SCANNED" }, { head: "REASON" }], rows, style));
  }
  return parts.join("\n");
}

/** "memory_files/a.md:12", "sqlite/facts.db fact.text row 7", "memory_files/a.md:3 in commit 1f2e3d4c5b6a of main" */
function placeOf({ artifact, line, column, row, commit, ref }: ScanFinding): string {
  const cell = column === undefined ? "" : ` ${column}${row === undefined ? "" : ` row ${row}`}`;
  const version = commit === undefined ? "" : ` in commit ${commit.slice(0, SHOWN_ID)}${leading(ref)}`;
  return artifact + (line === undefined ? "" : `:${String(line)}`) + cell + version;
}

/** " of main", " of tag v1", " of remotes/origin/main"; nothing for what no ref leads to */
function leading(ref: string | undefined): string {
  if (ref === undefined) return "";
  return ` of ${ref
    .replace(/^refs\//, "")
    .replace(/^heads\//, "")
    .replace(/^tags\//, "tag ")}`;
}

import type { JsonObject } from "../json.js";

/** How much one thing (a file, a table, a branch, a state value) differs. */
export interface DiffItem {
  /** path, or database and table, or ref, or JSON path; relative to the source */
  readonly path: string;
  readonly change: "added" | "removed" | "changed";
  /** numbers and facts in camelCase: `linesAdded`, `linesRemoved`, `rowsAdded`, `rowsRemoved`, `rowsChanged`, `commits` */
  readonly details?: JsonObject;
}

/** What changed in one source. Equal bundles give no items. */
export interface SourceDiff {
  readonly items: readonly DiffItem[];
  /** totals in camelCase: `filesAdded`, `commitsBetween`, … */
  readonly summary: JsonObject;
}

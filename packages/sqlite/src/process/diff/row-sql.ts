import { quoted } from "../names.js";
import type { Column } from "./schema.js";

/** SQL that is true when the rows `a` and `b` hold the same. The plus signs keep column affinities out of it. */
export function sameValues(columns: readonly Column[]): string {
  const same = joined(
    "AND",
    columns
      .map(({ name }) => quoted(name))
      .map((name) => `(typeof(a.${name}) = typeof(b.${name}) AND +a.${name} COLLATE BINARY IS +b.${name})`),
  );
  return same ?? "1";
}

/** Terms joined as a balanced tree: SQLite limits how deep an expression is, and a table may have 2,000 columns. */
export function joined(operator: "AND" | "||", terms: readonly string[]): string | undefined {
  if (terms.length <= 1) return terms[0];
  const half = terms.length >> 1;
  return `(${joined(operator, terms.slice(0, half)) ?? ""} ${operator} ${joined(operator, terms.slice(half)) ?? ""})`;
}

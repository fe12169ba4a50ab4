import type Database from "better-sqlite3";
import { quoted, tablesOf } from "./names.js";
import { isDamage, isUnknownPart } from "./sqlite-error.js";

/** What a check of a database found. */
export interface CheckOutcome {
  /** the file's structure is broken */
  readonly damage: readonly string[];
  /** what the structure survives: rows that break a constraint, an index that lacks entries, tables of unknown parts */
  readonly notes: readonly string[];
}

const MAX_LINES = 20;

/** Lines of `integrity_check` that speak of rows, indexes or virtual tables, not of pages. The data can all be read. */
const HARMLESS =
  /^(NULL value in|CHECK constraint failed in|(NUMERIC|TEXT|non-\w+) value in|non-unique entry in index|row \d+ missing from index|row \d+ values differ from index|wrong # of entries in index|rowid not at end-of-record|unable to validate|malformed inverted index|fts5: checksum mismatch)/;

/**
 * Checks a private copy. A part that needs what is not loaded here (a function in a CHECK, a collation, a tokenizer) is
 * noted and passed over.
 *
 * @param depth "quick" looks at every page and row, "full" at the indexes too
 */
export function checkDatabase(connection: Database.Database, depth: "quick" | "full"): CheckOutcome {
  connection.pragma("ignore_check_constraints = ON");
  const pragma = depth === "quick" ? "quick_check" : "integrity_check";
  try {
    return sorted(lines(connection, `${pragma}(${String(MAX_LINES)})`));
  } catch (error) {
    if (isDamage(error)) return { damage: [describe(error)], notes: [] };
    if (!isUnknownPart(error)) throw error;
    return checkByTable(connection, describe(error));
  }
}

function checkByTable(connection: Database.Database, why: string): CheckOutcome {
  const damage: string[] = [];
  const notes: string[] = [why];
  for (const { name, module } of tablesOf(connection)) {
    if (module !== undefined) continue;
    try {
      const found = sorted(lines(connection, `quick_check(${quoted(name)})`));
      damage.push(...found.damage);
      notes.push(...found.notes);
    } catch (error) {
      if (isDamage(error)) damage.push(describe(error));
      else if (isUnknownPart(error)) notes.push(`${name}: ${describe(error)}`);
      else throw error;
    }
  }
  return { damage, notes: notes.slice(0, MAX_LINES) };
}

function lines(connection: Database.Database, pragma: string): string[] {
  const rows = connection.pragma(pragma) as Record<string, unknown>[];
  return rows
    .flatMap((row) => String(Object.values(row)[0]).split("\n"))
    .filter((line) => line !== "ok" && line !== "");
}

function sorted(found: readonly string[]): CheckOutcome {
  return {
    damage: found.filter((line) => !HARMLESS.test(line) && !line.startsWith("***")),
    notes: found.filter((line) => HARMLESS.test(line)),
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

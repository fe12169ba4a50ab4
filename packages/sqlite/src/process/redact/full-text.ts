import type Database from "better-sqlite3";
import { quoted, type TableInfo } from "../names.js";
import { isUnknownPart } from "../sqlite-error.js";

const FULL_TEXT = /^fts[345]$/i;
const CONTENT = /[(,]\s*content\s*=\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|[^\s,)]*)/i;

export function isFullText({ module = "" }: TableInfo): boolean {
  return FULL_TEXT.test(module);
}

/**
 * Makes an index anew of the text that there is: it holds words of what was, lower-cased and in parts. One that holds no text
 * is emptied.
 *
 * @returns true when it was emptied
 */
export function renewIndex(
  connection: Database.Database,
  table: TableInfo,
  shadows: ReadonlyMap<string, string>,
): boolean {
  const content = CONTENT.exec(table.sql)?.[1];
  const isContentless = content !== undefined && /^(?:""|''|)$/.test(content);
  try {
    command(connection, table, isContentless ? "delete-all" : "rebuild");
    return isContentless;
  } catch (error) {
    // Its tokenizer is not known here, or its version has no such command.
    if (!isContentless && !isUnknownPart(error)) throw error;
    for (const suffix of ["data", "idx", "docsize", "segments", "segdir"]) {
      const shadow = shadows.get(suffix);
      if (shadow !== undefined) connection.exec(`DELETE FROM ${quoted(shadow)}`);
    }
    return true;
  }
}

function command(connection: Database.Database, { name }: TableInfo, text: string): void {
  connection.prepare(`INSERT INTO ${quoted(name)} (${quoted(name)}) VALUES (?)`).run(text);
}

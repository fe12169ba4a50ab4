import type Database from "better-sqlite3";
import { quoted, tablesOf } from "./names.js";
import { isDamage } from "./sqlite-error.js";

/** How many rows each table has. Virtual tables are not asked: their rows are in tables of their own, which are. */
export interface RowCounts {
  readonly counts: Readonly<Record<string, number>>;
  readonly uncounted: readonly string[];
}

/** @throws the SQLite error when a table cannot be read for damage */
export function countRows(connection: Database.Database): RowCounts {
  const counts: [string, number][] = [];
  const uncounted: string[] = [];
  for (const { name, module } of tablesOf(connection)) {
    const count = module === undefined ? countOf(connection, name) : undefined;
    if (count === undefined) uncounted.push(name);
    else counts.push([name, count]);
  }
  return { counts: Object.fromEntries(counts), uncounted };
}

/** The rows of one table; undefined when it needs something that is not loaded here. */
export function countOf(connection: Database.Database, table: string, schema = "main"): number | undefined {
  try {
    return connection
      .prepare(`SELECT count(*) FROM ${schema}.${quoted(table)}`)
      .pluck()
      .get() as number;
  } catch (error) {
    if (isDamage(error)) throw error;
    return undefined;
  }
}

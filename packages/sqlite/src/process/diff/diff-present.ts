import { Database } from "../better-sqlite.js";
import type { DiffLine } from "../protocol.js";
import { sumOf } from "./compare-rows.js";
import { wholeTable } from "./diff-tables.js";
import { readSchema } from "./schema.js";

/**
 * A database of which there is no other state that it could be compared with.
 *
 * @param as one line for the whole database (`tables`, and its rows), or one for each table
 */
export function diffPresent(
  path: string,
  file: string,
  change: "added" | "removed",
  as: "database" | "table" = "database",
): DiffLine[] {
  const connection = new Database(file, { readonly: true, fileMustExist: true });
  try {
    const tables = [...readSchema(connection, "main").tables.values()];
    const lines = tables.map((table) => wholeTable(connection, "main", `${path}:${table.name}`, table, change));
    if (as === "table") return lines;
    const rows = sumOf(lines.map((line) => line.rows));
    const counted = change === "added" ? { rowsAdded: rows.rowsAdded } : { rowsRemoved: rows.rowsRemoved };
    return [{ path, level: "database", change, details: { tables: tables.length, ...counted }, rows }];
  } finally {
    connection.close();
  }
}

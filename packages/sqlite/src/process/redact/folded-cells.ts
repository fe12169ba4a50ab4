import { isFoldedSql, wrapperOf } from "../../folded.js";
import { connect } from "../capture/connection.js";
import { quoted, tablesOf } from "../names.js";
import { isUnknownPart } from "../sqlite-error.js";
import type { CellPlace, FoldedCells, RowBatch, StoredValue } from "./protocol.js";
import { TableRows } from "./table-rows.js";

/**
 * The cells of a database with compressed bytes: what is in them no page shows.
 *
 * @param after where the batch before this one ended
 */
export function foldedCells(file: string, after: CellPlace | null): FoldedCells {
  const connection = connect(file, "read");
  try {
    connection.defaultSafeIntegers(true);
    const tables = tablesOf(connection).filter(({ module }) => module === undefined);
    for (let table = after?.table ?? 0; table < tables.length; table++) {
      const rows = TableRows.of(connection, tables[table]?.name ?? "", []);
      if (rows === undefined || rows.columns.length === 0) continue;
      const { rows: read, next } = readFolded(rows, table === after?.table ? after.key : null);
      const cells = read.flatMap((row) => row.cells.flatMap(({ value }) => (isFolded(value) ? [value] : [])));
      if (next !== undefined) return { cells, next: { table, key: next } };
      if (cells.length > 0) return { cells, next: { table: table + 1, key: null } };
    }
    return { cells: [] };
  } finally {
    connection.close();
  }
}

function readFolded(rows: TableRows, key: readonly StoredValue[] | null): RowBatch {
  try {
    return rows.read(key, rows.columns.map((column) => isFoldedSql(quoted(column))).join(" OR "));
  } catch (error) {
    // Its order or a column of it needs what is not loaded here: it was not rewritten either.
    if (isUnknownPart(error)) return { rows: [] };
    throw error;
  }
}

function isFolded(value: string | Uint8Array): value is Uint8Array {
  return typeof value !== "string" && wrapperOf(value) !== undefined;
}

import type Database from "better-sqlite3";
import { quoted } from "../names.js";
import type { RowDelta } from "../protocol.js";
import { isDamage } from "../sqlite-error.js";
import type { Side } from "./schema.js";

interface Column {
  readonly name: string;
  /** place in the primary key from 1; 0: not in it */
  readonly pk: number;
}

/** Names under which SQLite gives a row's number, as long as no column has them. */
const ROW_NUMBERS = ["rowid", "_rowid_", "oid"];

/**
 * How many rows were added, removed and changed between two tables of one name, by primary key, else by row number. Values
 * are equal when type and bytes are: 1, 1.0 and '1' all differ. It is counted inside SQLite: memory does not grow with the
 * table.
 *
 * @returns undefined when the tables need something to be compared that is not here
 */
export function diffTable(connection: Database.Database, table: string): RowDelta | undefined {
  const before = columnsOf(connection, "main", table);
  const after = columnsOf(connection, "other", table);
  const names = new Set(after.map(({ name }) => name));
  const common = before.filter(({ name }) => names.has(name)).map(({ name }) => name);
  for (const key of keysFor(connection, table, before, after)) {
    try {
      return count(connection, table, key, common);
    } catch (error) {
      // A collation that is not loaded here: the row numbers may do.
      if (isDamage(error)) throw error;
    }
  }
  return undefined;
}

/** Columns that hold values of their own; generated ones follow from them. */
function columnsOf(connection: Database.Database, side: Side, table: string): Column[] {
  return connection
    .prepare("SELECT name, pk FROM pragma_table_xinfo(?, ?) WHERE hidden = 0")
    .all(table, side) as Column[];
}

/** Ways to tell which rows are the same, the best first. */
function* keysFor(
  connection: Database.Database,
  table: string,
  before: readonly Column[],
  after: readonly Column[],
): Generator<readonly string[]> {
  const [primary, other] = [primaryKey(before), primaryKey(after)];
  if (primary.length > 0 && primary.join("\0") === other.join("\0")) yield primary;
  if (!hasRowNumbers(connection, "main", table) || !hasRowNumbers(connection, "other", table)) return;
  const taken = new Set([...before, ...after].map(({ name }) => name.toLowerCase()));
  const rowNumber = ROW_NUMBERS.find((name) => !taken.has(name));
  if (rowNumber !== undefined) yield [rowNumber];
}

function primaryKey(columns: readonly Column[]): string[] {
  return columns
    .filter(({ pk }) => pk > 0)
    .sort((a, b) => a.pk - b.pk)
    .map(({ name }) => name);
}

function hasRowNumbers(connection: Database.Database, side: Side, table: string): boolean {
  const rows = connection.pragma(`${side}.table_list(${quoted(table)})`) as { schema: string; wr: number }[];
  return rows.find(({ schema }) => schema === side)?.wr === 0;
}

function count(
  connection: Database.Database,
  table: string,
  key: readonly string[],
  columns: readonly string[],
): RowDelta {
  const name = quoted(table);
  const sameRow = key.map((column) => `a.${quoted(column)} IS b.${quoted(column)}`).join(" AND ");
  const one = (sql: string): number => connection.prepare(sql).pluck().get() as number;
  const lacking = (from: Side, where: Side): number =>
    one(`SELECT count(*) FROM ${from}.${name} a WHERE NOT EXISTS (SELECT 1 FROM ${where}.${name} b WHERE ${sameRow})`);
  return {
    rowsAdded: lacking("other", "main"),
    rowsRemoved: lacking("main", "other"),
    rowsChanged:
      columns.length === 0
        ? 0
        : one(
            `SELECT count(*) FROM main.${name} a CROSS JOIN other.${name} b ON ${sameRow} WHERE NOT ${allOf(columns.map(sameValue))}`,
          ),
  };
}

/** The `+` takes the columns' affinity away, by which '1' and 1 would be made equal. */
function sameValue(column: string): string {
  const value = quoted(column);
  return `(typeof(a.${value}) = typeof(b.${value}) AND +a.${value} COLLATE BINARY IS +b.${value} COLLATE BINARY)`;
}

/** Joined as a balanced tree: SQLite limits how deep an expression is, and a table may have 2,000 columns. */
function allOf(terms: readonly string[]): string {
  if (terms.length <= 1) return terms[0] ?? "1";
  const half = terms.length >> 1;
  return `(${allOf(terms.slice(0, half))} AND ${allOf(terms.slice(half))})`;
}

import type Database from "better-sqlite3";
import { prepared } from "../better-sqlite.js";
import { quoted } from "../names.js";
import { isUnknownPart } from "../sqlite-error.js";
import type { CellChange, RowBatch, ScannedRow, StoredValue } from "./protocol.js";

/** Rows are read until they hold so much, in bytes. */
const BATCH_BYTES = 1024 * 1024;
const BATCH_ROWS = 1_000;

interface ColumnRow {
  readonly name: string;
  readonly pk: bigint;
  readonly hidden: bigint;
}

/** The rows of one table: read in the order of their keys, and changed cell by cell. */
export class TableRows {
  readonly name: string;
  readonly columns: readonly string[];
  readonly #connection: Database.Database;
  /** SQL of what tells a row from all others */
  readonly #key: readonly string[];

  private constructor(connection: Database.Database, name: string, columns: readonly string[], key: readonly string[]) {
    this.#connection = connection;
    this.name = name;
    this.columns = columns;
    this.#key = key;
  }

  /**
   * @param leftOut columns that hold no text
   * @returns undefined for a table whose rows cannot be told apart: each of its three row ids is hidden by a column
   */
  static of(connection: Database.Database, name: string, leftOut: readonly string[]): TableRows | undefined {
    const all = prepared(connection, "SELECT name, pk, hidden FROM pragma_table_xinfo(?, 'main')").all(
      name,
    ) as ColumnRow[];
    // Generated columns (2, 3) follow from the others.
    const columns = all
      .filter(({ name: column, hidden }) => hidden === 0n && !leftOut.includes(column))
      .map((column) => column.name);
    const rowid = rowidOf(all);
    const key =
      rowid === undefined || hasColumn(connection, name, rowid) ? [rowid].flatMap((one) => one ?? []) : primaryKey(all);
    return key.length === 0 ? undefined : new TableRows(connection, name, columns, key);
  }

  /** @param condition of the rows that are read, in SQL; default all */
  read(after: readonly StoredValue[] | null, condition = "true"): RowBatch {
    const keys = this.#key.join(", ");
    const behind = after === null ? "" : `(${keys}) > (${this.#key.map(() => "?").join(", ")}) AND `;
    const from = `WHERE ${behind}(${condition})`;
    const cells = this.columns.map(quoted).join(", ");
    const sql = `SELECT ${keys}, ${cells} FROM ${quoted(this.name)} ${from} ORDER BY ${keys} LIMIT ${String(BATCH_ROWS)}`;
    const rows: ScannedRow[] = [];
    let bytes = 0;
    let count = 0;
    let last: readonly StoredValue[] = [];
    for (const row of prepared(this.#connection, sql)
      .raw()
      .iterate(...(after ?? [])) as Iterable<StoredValue[]>) {
      const key = row.slice(0, this.#key.length);
      const scanned = row
        .slice(this.#key.length)
        .flatMap((value, column) => (isScanned(value) ? [{ column, value }] : []));
      if (scanned.length > 0) rows.push({ key, cells: scanned });
      bytes += scanned.reduce((sum, { value }) => sum + value.length, 0);
      count++;
      last = key;
      if (bytes >= BATCH_BYTES) return { rows, next: last };
    }
    return count < BATCH_ROWS ? { rows } : { rows, next: last };
  }

  /** Where in the key a column stands; -1 for one that is not of it. */
  placeInKey(column: number): number {
    return this.#key.indexOf(this.#column(column));
  }

  valueOf(key: readonly StoredValue[], column: number): StoredValue {
    const sql = `SELECT ${this.#column(column)} FROM ${quoted(this.name)} WHERE ${this.#isKey()}`;
    return prepared(this.#connection, sql)
      .pluck()
      .get(...key) as StoredValue;
  }

  /** @throws the SQLite error, of a constraint for one */
  write(key: readonly StoredValue[], { column, value }: CellChange): void {
    const sql = `UPDATE ${quoted(this.name)} SET ${this.#column(column)} = ? WHERE ${this.#isKey()}`;
    prepared(this.#connection, sql).run(value, ...key);
  }

  #column(index: number): string {
    return quoted(this.columns[index] ?? "");
  }

  #isKey(): string {
    return this.#key.map((part) => `${part} IS ?`).join(" AND ");
  }
}

function isScanned(value: StoredValue): value is string | Uint8Array {
  return typeof value === "string" ? value !== "" : value instanceof Uint8Array && value.length > 0;
}

function primaryKey(columns: readonly ColumnRow[]): readonly string[] {
  return columns
    .filter(({ pk }) => pk > 0n)
    .sort((a, b) => Number(a.pk - b.pk))
    .map(({ name }) => quoted(name));
}

/** The columns of a table or a view, as far as what it needs is there to tell them. */
export function columnsOf(connection: Database.Database, name: string): readonly string[] {
  try {
    const sql = "SELECT name FROM pragma_table_xinfo(?, 'main') WHERE hidden = 0";
    return prepared(connection, sql).pluck().all(name) as string[];
  } catch (error) {
    if (!isUnknownPart(error)) throw error;
    return [];
  }
}

/** What no column hides. */
function rowidOf(columns: readonly ColumnRow[]): string | undefined {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()));
  return ["rowid", "_rowid_", "oid"].find((name) => !taken.has(name));
}

/** `PRAGMA table_list` would say it, too; but it asks virtual tables whose module may not be there. */
function hasColumn(connection: Database.Database, table: string, column: string): boolean {
  try {
    connection.prepare(`SELECT ${column} FROM ${quoted(table)} LIMIT 0`);
    return true;
  } catch (error) {
    if (!isUnknownPart(error)) throw error;
    return false;
  }
}

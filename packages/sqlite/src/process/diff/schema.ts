import type Database from "better-sqlite3";
import { prepared } from "../better-sqlite.js";
import { quoted, type TableInfo, tablesOf } from "../names.js";
import { shadowsOf } from "./shadow-tables.js";

/** One of the two databases, by the name it is attached under. */
export type Side = "main" | "other";

/** An index, a view or a trigger. */
export interface SchemaObject {
  readonly type: "index" | "view" | "trigger";
  readonly name: string;
  readonly sql: string;
}

/** A table as users know it: a virtual one stands for the tables its module keeps its data in. */
export interface Table extends TableInfo {
  /** names of the tables behind a virtual table, by their lower-case suffix; empty for an ordinary table */
  readonly shadows: ReadonlyMap<string, string>;
}

/** What is in one database, by lower-case name: SQLite's names know no case. */
export interface Schema {
  readonly tables: ReadonlyMap<string, Table>;
  /** by type and lower-case name: a trigger may be called like a table */
  readonly objects: ReadonlyMap<string, SchemaObject>;
}

export function readSchema(connection: Database.Database, side: Side): Schema {
  const all = tablesOf(connection, side);
  const shadows = shadowsOf(all);
  const hidden = new Set([...shadows.values()].flatMap((found) => [...found.values()]));
  const tables = all
    .filter(({ name }) => !hidden.has(name))
    .map((table) => ({ ...table, shadows: shadows.get(table.name) ?? new Map<string, string>() }));
  const objects = connection
    .prepare(
      `SELECT type, name, sql FROM ${side}.sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL ORDER BY name`,
    )
    .all() as SchemaObject[];
  return {
    tables: new Map(tables.map((table) => [folded(table.name), table])),
    objects: new Map(objects.map((object) => [`${object.type} ${folded(object.name)}`, object])),
  };
}

/** A stored column. Generated ones are left out: they follow from the others, and may need functions not known here. */
export interface Column {
  readonly name: string;
  readonly notNull: boolean;
}

export interface KeyColumn extends Column {
  readonly affinity: string;
  /** undefined for the rowid itself, which knows none */
  readonly collation: string | undefined;
}

/** How the rows of one table are read and told apart. */
export interface Layout {
  readonly from: string;
  readonly columns: readonly Column[];
  /** columns of the declared primary key, in its order */
  readonly key: readonly KeyColumn[];
  /** a name under which the rowid can be read; undefined without one, or when columns bear all its names */
  readonly rowid: string | undefined;
}

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly pk: number;
  readonly hidden: number;
}

export function readLayout(connection: Database.Database, side: Side, table: string): Layout {
  const columns = prepared(connection, 'SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?, ?)').all(
    table,
    side,
  ) as ColumnRow[];
  const collations = keyCollations(connection, side, table);
  const from = `${side}.${quoted(table)}`;
  return {
    from,
    columns: columns.filter(({ hidden }) => hidden === 0).map(columnOf),
    key: columns
      .filter(({ pk }) => pk > 0)
      .sort((a, b) => a.pk - b.pk)
      .map((row) => ({
        ...columnOf(row),
        affinity: affinityOf(row.type),
        collation: collations.get(folded(row.name)),
      })),
    rowid: rowidName(connection, from, columns),
  };
}

/** SQLite folds the letters A to Z of names, and no others. */
export function folded(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function columnOf({ name, notnull }: ColumnRow): Column {
  return { name, notNull: notnull === 1 };
}

function keyCollations(connection: Database.Database, side: Side, table: string): Map<string, string> {
  const rows = prepared(
    connection,
    `SELECT x.name, x.coll FROM pragma_index_list(?, ?) AS i, pragma_index_xinfo(i.name, ?) AS x
     WHERE i.origin = 'pk' AND x.key = 1 AND x.cid >= 0`,
  ).all(table, side, side) as { name: string; coll: string }[];
  return new Map(rows.map(({ name, coll }) => [folded(name), coll.toUpperCase()]));
}

function rowidName(connection: Database.Database, from: string, columns: readonly ColumnRow[]): string | undefined {
  const taken = new Set(columns.map(({ name }) => folded(name)));
  const name = ["rowid", "_rowid_", "oid"].find((candidate) => !taken.has(candidate));
  if (name === undefined) return undefined;
  try {
    connection.prepare(`SELECT ${name} FROM ${from}`);
    return name;
  } catch (error) {
    // Only a table without one lacks it.
    if (error instanceof Error && error.message.startsWith("no such column")) return undefined;
    throw error;
  }
}

/** The affinity of a declared type (sqlite.org/datatype3.html, section 3.1). */
function affinityOf(type: string): string {
  if (/int/i.test(type)) return "INTEGER";
  if (/char|clob|text/i.test(type)) return "TEXT";
  if (type === "" || /blob/i.test(type)) return "BLOB";
  return /real|floa|doub/i.test(type) ? "REAL" : "NUMERIC";
}

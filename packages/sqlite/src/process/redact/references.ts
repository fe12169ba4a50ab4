import type Database from "better-sqlite3";
import { prepared } from "../better-sqlite.js";
import type { TableInfo } from "../names.js";
import type { Reference } from "./unique-values.js";

interface ForeignKeyRow {
  readonly table: string;
  readonly from: string;
  readonly to: string | null;
}

/** The foreign keys of all tables. One that names no column refers to the other table's primary key, if that is one column. */
export function referencesOf(connection: Database.Database, tables: readonly TableInfo[]): readonly Reference[] {
  return tables.flatMap(({ name, module }) => {
    if (module !== undefined) return [];
    const keys = prepared(connection, 'SELECT "table", "from", "to" FROM pragma_foreign_key_list(?)').all(name);
    return (keys as ForeignKeyRow[]).flatMap(({ table: toTable, from: column, to }): Reference[] => {
      const toColumn = to ?? primaryKeyOf(connection, toTable);
      return toColumn === undefined ? [] : [{ table: name, column, toTable, toColumn }];
    });
  });
}

function primaryKeyOf(connection: Database.Database, table: string): string | undefined {
  const names = prepared(connection, "SELECT name FROM pragma_table_info(?) WHERE pk > 0").pluck().all(table);
  return names.length === 1 ? String(names[0]) : undefined;
}

/** Those that others refer to before those others, as far as they refer in no circle. */
export function inOrderOfReferences(names: readonly string[], references: readonly Reference[]): readonly string[] {
  const ordered: string[] = [];
  const begun = new Set<string>();
  const visit = (name: string): void => {
    if (begun.has(name.toLowerCase())) return;
    begun.add(name.toLowerCase());
    for (const { table, toTable } of references) {
      if (table !== name) continue;
      const other = names.find((one) => one.toLowerCase() === toTable.toLowerCase());
      if (other !== undefined) visit(other);
    }
    ordered.push(name);
  };
  for (const name of names) visit(name);
  return ordered;
}

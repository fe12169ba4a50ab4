import type Database from "better-sqlite3";

/** An identifier for SQL text. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A table of `sqlite_schema`; `module` is set for a virtual one. */
export interface TableInfo {
  readonly name: string;
  readonly sql: string;
  readonly module?: string;
}

const MODULE = /^\s*create\s+virtual\s+table\b[\s\S]*?\busing\s+("(?:[^"]|"")+"|\[[^\]]+\]|`[^`]+`|[^\s(;]+)/i;

/** The user's tables of a database in the order of their names; SQLite's own are left out. */
export function tablesOf(connection: Database.Database, schema = "main"): TableInfo[] {
  const rows = connection
    .prepare(`SELECT name, sql, rootpage FROM ${schema}.sqlite_schema WHERE type = 'table' ORDER BY name`)
    .all() as { name: string; sql: string | null; rootpage: number | bigint | null }[];
  return rows
    .filter(({ name }) => !/^sqlite_/i.test(name))
    .map(({ name, sql, rootpage }) => {
      const text = sql ?? "";
      // A virtual table has no page of its own.
      const module = Number(rootpage ?? 0) === 0 ? MODULE.exec(text)?.[1] : undefined;
      return { name, sql: text, ...(module === undefined ? {} : { module: module.replace(/^["'[`]|["'\]`]$/g, "") }) };
    });
}

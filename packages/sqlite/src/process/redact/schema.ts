import type Database from "better-sqlite3";
import { type RenamedPart, renamedIn } from "./renamed-parts.js";

interface SchemaRow {
  readonly rowid: bigint;
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly rootpage: bigint | null;
  readonly sql: string;
}

/** The statements of a database's schema; its triggers are out of the way while rows are changed. */
export class Schema {
  readonly #connection: Database.Database;
  readonly #rows: readonly SchemaRow[];

  private constructor(connection: Database.Database, rows: readonly SchemaRow[]) {
    this.#connection = connection;
    this.#rows = rows;
  }

  static withoutTriggers(connection: Database.Database): Schema {
    const rows = connection
      .prepare(
        "SELECT rowid, type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid",
      )
      .all() as SchemaRow[];
    writeSchema(connection, () => connection.exec("DELETE FROM sqlite_schema WHERE type = 'trigger'"));
    return new Schema(connection, rows);
  }

  get statements(): readonly string[] {
    return this.#rows.map(({ sql }) => sql);
  }

  get names(): readonly string[] {
    return this.#rows.map(({ name }) => name);
  }

  /**
   * Writes the statements that changed, brings the triggers back, and empties what SQLite has sampled of the rows.
   *
   * @param changed statements, in which the new names stand already
   */
  bringBack(changed: ReadonlyMap<number, string>, renamed: readonly RenamedPart[]): void {
    const connection = this.#connection;
    // By their names still.
    for (const [table, columns] of NAMING) renameCells(connection, table, columns, renamed);
    writeSchema(connection, () => {
      const insert = connection.prepare(
        "INSERT INTO sqlite_schema (rowid, type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, ?, ?, ?)",
      );
      const update = connection.prepare("UPDATE sqlite_schema SET sql = ? WHERE rowid = ?");
      for (const [index, { rowid, type, name, tbl_name, rootpage, sql }] of this.#rows.entries()) {
        const text = changed.get(index) ?? sql;
        if (type === "trigger") insert.run(rowid, type, name, tbl_name, rootpage, text);
        else if (text !== sql) update.run(text, rowid);
      }
      // An index that SQLite made itself has no statement, and its table's name.
      renameCells(connection, "sqlite_schema", ["name", "tbl_name"], renamed);
    });
    const sampled = connection
      .prepare("SELECT name FROM sqlite_schema WHERE name IN ('sqlite_stat3', 'sqlite_stat4')")
      .pluck();
    for (const name of sampled.all() as string[]) connection.exec(`DELETE FROM ${name}`);
  }
}

/** Tables of SQLite's own that name others. */
const NAMING = [
  ["sqlite_sequence", ["name"]],
  ["sqlite_stat1", ["tbl", "idx"]],
] as const;

function renameCells(
  connection: Database.Database,
  table: string,
  columns: readonly string[],
  renamed: readonly RenamedPart[],
): void {
  if (renamed.length === 0) return;
  const exists = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(table);
  if (exists === undefined && table !== "sqlite_schema") return;
  for (const column of columns) {
    const rows = connection.prepare(`SELECT rowid, ${column} AS name FROM ${table}`).all() as {
      readonly rowid: bigint;
      readonly name: string | null;
    }[];
    const update = connection.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`);
    for (const { rowid, name } of rows) {
      const now = name === null ? name : renamedIn(name, renamed);
      if (now !== name) update.run(now, rowid);
    }
  }
}

function writeSchema(connection: Database.Database, write: () => void): void {
  connection.pragma("writable_schema = ON");
  connection.transaction(write)();
  // Reads the schema anew.
  connection.pragma("writable_schema = RESET");
}

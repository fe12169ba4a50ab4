import type Database from "better-sqlite3";

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

  /** Writes the statements that changed, brings the triggers back, and empties what SQLite has sampled of the rows. */
  bringBack(changed: ReadonlyMap<number, string>): void {
    const connection = this.#connection;
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
    });
    const sampled = connection
      .prepare("SELECT name FROM sqlite_schema WHERE name IN ('sqlite_stat3', 'sqlite_stat4')")
      .pluck();
    for (const name of sampled.all() as string[]) connection.exec(`DELETE FROM ${name}`);
  }
}

function writeSchema(connection: Database.Database, write: () => void): void {
  connection.pragma("writable_schema = ON");
  connection.transaction(write)();
  // Reads the schema anew.
  connection.pragma("writable_schema = RESET");
}

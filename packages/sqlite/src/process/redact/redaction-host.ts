import { renameSync } from "node:fs";
import type Database from "better-sqlite3";
import { KeepsakeError } from "@keepsake/core/basics";
import { connect } from "../capture/connection.js";
import { finishCopy } from "../capture/finish-copy.js";
import { shadowsOf } from "../diff/shadow-tables.js";
import { quoted, type TableInfo, tablesOf } from "../names.js";
import { prepared } from "../better-sqlite.js";
import { isConstraint, isDamage, isUnknownPart, keepsakeErrorOf, sqliteCodeOf } from "../sqlite-error.js";
import { Embeddings } from "./embeddings.js";
import { isFullText, renewIndex } from "./full-text.js";
import type { RedactedDatabase, RedactionLayout, RowBatch, RowChange, StoredValue } from "./protocol.js";
import type { RenamedPart } from "./renamed-parts.js";
import { Schema } from "./schema.js";
import { inOrderOfReferences, referencesOf } from "./references.js";
import { columnsOf, TableRows } from "./table-rows.js";
import { UniqueValues } from "./unique-values.js";
import { updateMetadataView } from "./vector-metadata.js";

/** Modules whose data is known to be numbers, or in tables that are looked at. */
const KNOWN = /^(?:fts[345]|fts5vocab|fts4aux|rtree|rtree_i32|geopoly|vec0|dbstat)$/i;
/** Tables in which a module keeps what is made of the text that is elsewhere. */
const DERIVED =
  /^(?:data|idx|docsize|config|stat|segments|segdir|node|parent|info|vector_chunks\d\d|metadatachunks\d\d)$/;
const METADATA_TEXT = /^metadatatext(\d\d)$/;

/** A private copy of a database that is rewritten. */
export class RedactionHost {
  readonly #file: string;
  readonly #connection: Database.Database;
  readonly #schema: Schema;
  readonly #all: readonly TableInfo[];
  readonly #shadows: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly #tables: readonly TableRows[];
  readonly #values: UniqueValues;
  readonly #embeddings: Embeddings;
  readonly layout: RedactionLayout;

  private constructor(file: string, connection: Database.Database, nullsEmbeddings: boolean) {
    this.#file = file;
    this.#connection = connection;
    this.#schema = Schema.withoutTriggers(connection);
    this.#all = tablesOf(connection);
    this.#shadows = shadowsOf(this.#all);
    this.#embeddings = new Embeddings(connection, this.#all, this.#shadows, nullsEmbeddings);
    const references = referencesOf(connection, this.#all);
    this.#values = new UniqueValues(references);
    const names = inOrderOfReferences(this.#scannedNames(), references);
    this.#tables = names.map((name) => this.#rowsOf(name));
    this.layout = {
      tables: this.#tables.map(({ name, columns }) => ({ name, columns, labels: this.#labelsOf(name, columns) })),
      statements: this.#schema.statements,
      names: [...new Set([...this.#schema.names, ...this.#columnNames()])],
      unknown: this.#all.flatMap(({ name, module }) => (module === undefined || KNOWN.test(module) ? [] : [name])),
    };
  }

  /**
   * Opens a copy that nobody else has, and takes its triggers away until it is finished.
   *
   * @param nullsEmbeddings whether vectors that were made of redacted texts go, too
   */
  static open(file: string, nullsEmbeddings: boolean): RedactionHost {
    const connection = connect(file, "write");
    try {
      // Tables of virtual tables are written to, and the schema; rows are not judged while they are changed.
      connection.unsafeMode(true);
      connection.defaultSafeIntegers(true);
      for (const pragma of [
        "foreign_keys = OFF",
        "ignore_check_constraints = ON",
        "secure_delete = ON",
        "journal_mode = MEMORY",
      ]) {
        connection.pragma(pragma);
      }
      return new RedactionHost(file, connection, nullsEmbeddings);
    } catch (error) {
      connection.close();
      throw cannotRewrite(error);
    }
  }

  read(table: number, after: readonly StoredValue[] | null): RowBatch {
    return this.#table(table).read(after);
  }

  write(table: number, changes: readonly RowChange[]): null {
    try {
      this.#write(this.#table(table), changes);
    } catch (error) {
      throw cannotRewrite(error);
    }
    return null;
  }

  #write(rows: TableRows, changes: readonly RowChange[]): void {
    const view = this.#metadataOf(rows.name);
    this.#connection.transaction(() => {
      for (const change of changes) {
        this.#embeddings.ofRow(rows, change);
        this.#values.write(rows, change);
        const [rowid] = change.key;
        const [text] = change.cells;
        // Of its text table the module has one column.
        if (view !== undefined && typeof rowid === "bigint" && text !== undefined) {
          updateMetadataView(this.#connection, view.owner, view.number, rowid, text.value);
        }
      }
    })();
  }

  /** Writes all of it into a new file, which holds no page and no byte that the tables do not have, and takes its place. */
  finish(statements: ReadonlyMap<number, string>, renamed: readonly RenamedPart[]): RedactedDatabase {
    const target = `${this.#file}-redacted`;
    const isRewritten = statements.size + renamed.length > 0;
    const { emptied, embeddings } = this.#writeAnew(target, statements, renamed);
    this.close();
    const finished = finishCopy(target);
    if (!finished.sound) throw notSound(finished.detail, isRewritten);
    renameSync(target, this.#file);
    return { facts: { ...finished.facts, ...(embeddings && { embeddings }) }, emptied };
  }

  #writeAnew(target: string, statements: ReadonlyMap<number, string>, renamed: readonly RenamedPart[]) {
    try {
      const emptied = this.#all.flatMap((table) => {
        if (!isFullText(table)) return [];
        return renewIndex(this.#connection, table, this.#shadows.get(table.name) ?? new Map()) ? [table.name] : [];
      });
      const embeddings = this.#embeddings.finish();
      this.#schema.bringBack(statements, renamed);
      this.#connection.prepare("VACUUM INTO ?").run(target);
      return { emptied, embeddings };
    } catch (error) {
      if (isDamage(error) && statements.size + renamed.length > 0) throw notSound(sqliteCodeOf(error) ?? "", true);
      throw cannotRewrite(error);
    }
  }

  close(): void {
    this.#connection.close();
  }

  #columnNames(): readonly string[] {
    const views = prepared(this.#connection, "SELECT name FROM sqlite_schema WHERE type = 'view'").pluck().all();
    return [...this.#all.map(({ name }) => name), ...views.map(String)].flatMap((name) =>
      columnsOf(this.#connection, name),
    );
  }

  #scannedNames(): string[] {
    const derived = new Set<string>();
    for (const [owner, shadows] of this.#shadows) {
      const table = this.#all.find(({ name }) => name === owner);
      if (!KNOWN.test(table?.module ?? "")) continue;
      for (const [suffix, name] of shadows) if (DERIVED.test(suffix)) derived.add(name);
    }
    return this.#all.filter(({ name, module }) => module === undefined && !derived.has(name)).map(({ name }) => name);
  }

  #rowsOf(name: string): TableRows {
    // vec0 keeps which places of a chunk are taken, and by what, as bits and numbers.
    const numbers = this.#isChunks(name) ? ["validity", "rowids"] : [];
    const rows = TableRows.of(this.#connection, name, numbers);
    if (rows !== undefined) return rows;
    throw new KeepsakeError("E_UNSUPPORTED", `The rows of ${quoted(name)} cannot be told apart.`);
  }

  /** A full-text index keeps its text in columns that it numbers: `c0`, or `c0body`. */
  #labelsOf(name: string, columns: readonly string[]): readonly string[] {
    const owner = this.#all.find(
      (table) => isFullText(table) && this.#shadows.get(table.name)?.get("content") === name,
    );
    if (owner === undefined) return columns;
    const all = columnsOf(this.#connection, owner.name);
    return columns.map((column) => all[Number(/^c(\d+)/.exec(column)?.[1] ?? -1)] ?? column);
  }

  #isChunks(name: string): boolean {
    return this.#all.some(
      ({ name: owner, module }) => module?.toLowerCase() === "vec0" && this.#shadows.get(owner)?.get("chunks") === name,
    );
  }

  #table(index: number): TableRows {
    const rows = this.#tables[index];
    if (rows === undefined) throw new TypeError(`There is no table ${String(index)}.`);
    return rows;
  }

  #metadataOf(table: string): { readonly owner: string; readonly number: string } | undefined {
    for (const [owner, shadows] of this.#shadows) {
      for (const [suffix, name] of shadows) {
        const number = METADATA_TEXT.exec(suffix)?.[1];
        if (name === table && number !== undefined) return { owner, number };
      }
    }
    return undefined;
  }
}

/** What was sound before its schema was rewritten cannot be rewritten. */
function notSound(detail: string, isRewritten: boolean): KeepsakeError {
  const code = isRewritten ? "E_UNSUPPORTED" : "E_DATABASE_DAMAGED";
  return new KeepsakeError(code, `The redacted database is not sound: ${detail}.`);
}

function cannotRewrite(cause: unknown): KeepsakeError {
  const error = keepsakeErrorOf(cause, "The database could not be rewritten");
  const isDatabases = isUnknownPart(cause) || isConstraint(cause);
  return isDatabases ? new KeepsakeError("E_UNSUPPORTED", error.message, { cause }) : error;
}

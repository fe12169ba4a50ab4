import type { JsonObject } from "@keepsake/core";
import type { RenamedPart } from "./renamed-parts.js";

/** A value that SQLite stores, as it crosses to the other process; integers as bigint. */
export type StoredValue = bigint | number | string | Uint8Array | null;

/** A table whose cells are looked at. */
export interface ScannedTable {
  readonly name: string;
  /** by their position in a row */
  readonly columns: readonly string[];
  /** what they are called: in a table where an index keeps its text, as the index calls them */
  readonly labels: readonly string[];
}

/** What of a database is looked at, and what cannot be. */
export interface RedactionLayout {
  /** those that others refer to first */
  readonly tables: readonly ScannedTable[];
  /** the statements of the schema, each by its number */
  readonly statements: readonly string[];
  /** of tables, views, indexes, triggers and columns */
  readonly names: readonly string[];
  /** virtual tables of modules that are not known here: what they keep is looked at only as far as it is in tables */
  readonly unknown: readonly string[];
}

/** One row: its key, and those of its cells that hold text or bytes. */
export interface ScannedRow {
  readonly key: readonly StoredValue[];
  readonly cells: readonly { readonly column: number; readonly value: string | Uint8Array }[];
}

/** Some rows of a table, in the order of their keys. */
export interface RowBatch {
  readonly rows: readonly ScannedRow[];
  /** where the next batch begins; absent at the end */
  readonly next?: readonly StoredValue[];
}

/** What a cell is to hold. */
export interface CellChange {
  readonly column: number;
  readonly value: string | Uint8Array;
}

/** A row, and those of its cells that change. */
export interface RowChange {
  readonly key: readonly StoredValue[];
  readonly cells: readonly CellChange[];
}

/** A redacted database. */
export interface RedactedDatabase {
  readonly facts: JsonObject;
  /** full-text indexes that hold no text to make them of again */
  readonly emptied: readonly string[];
}

/** How far the words of a database were told. */
export interface WordPlace {
  /** the index, by its number among them */
  readonly table: number;
  readonly word: string;
}

/** Words of full-text indexes, a line each. */
export interface IndexWords {
  readonly words: string;
  /** where the next batch begins; absent at the end */
  readonly next?: WordPlace;
}

/** How far the cells of a database were told. */
export interface CellPlace {
  /** by its number among the tables */
  readonly table: number;
  readonly key: readonly StoredValue[] | null;
}

/** Cells with compressed bytes, as they are. */
export interface FoldedCells {
  readonly cells: readonly Uint8Array[];
  /** where the next batch begins; absent at the end */
  readonly next?: CellPlace;
}

/** What the helper process is asked of a database that is redacted; one at a time. */
export interface RedactionCalls {
  redactOpen: [{ readonly file: string; readonly nullsEmbeddings: boolean }, RedactionLayout];
  redactRead: [{ readonly table: number; readonly after: readonly StoredValue[] | null }, RowBatch];
  redactWrite: [{ readonly table: number; readonly changes: readonly RowChange[] }, null];
  redactStatement: [{ readonly index: number; readonly sql: string }, null];
  indexWords: [{ readonly file: string; readonly after: WordPlace | null }, IndexWords];
  foldedCells: [{ readonly file: string; readonly after: CellPlace | null }, FoldedCells];
  redactFinish: [{ readonly renamed: readonly RenamedPart[] }, RedactedDatabase];
}

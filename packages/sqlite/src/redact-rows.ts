import { maskInBytes, pairRoleOf, type RedactionPolicy, redactDocument, redactDocumentText } from "@keepsake/core";
import type {
  CellChange,
  RowBatch,
  RowChange,
  ScannedRow,
  ScannedTable,
  StoredValue,
} from "./process/redact/protocol.js";

type Matches = Readonly<Record<string, number>>;

/** What of the rows of one table has to change. */
export class RowRedaction {
  readonly #table: ScannedTable;
  readonly #path: string;
  readonly #policy: RedactionPolicy;
  readonly #found: (matches: Matches) => boolean;
  /** columns with bytes that are no text */
  readonly binary = new Set<string>();

  /**
   * @param path of the database in the bundle
   * @param found takes note of matches; false when there are none
   */
  constructor(table: ScannedTable, path: string, policy: RedactionPolicy, found: (matches: Matches) => boolean) {
    this.#table = table;
    this.#path = path;
    this.#policy = policy;
    this.#found = found;
  }

  changesOf({ rows }: RowBatch): RowChange[] {
    return rows.flatMap((row) => {
      const changed = row.cells.flatMap((cell) => this.#changeOf(cell, row));
      return changed.length === 0 ? [] : [{ key: row.key, cells: changed }];
    });
  }

  #changeOf(cell: CellChange, row: ScannedRow): CellChange[] {
    const { column, value } = cell;
    const name = this.#table.columns[column] ?? "";
    const where = {
      ...{ path: this.#path, column: `${this.#table.name}.${name}`, row: rowName(row.key) },
      names: this.#namesOf(cell, row),
    };
    if (typeof value === "string") {
      const { text, matches } = redactDocumentText(value, this.#policy, where);
      return this.#found(matches) ? [{ column, value: text }] : [];
    }
    const redacted = redactDocument(value, this.#policy, where);
    if (redacted.unscanned !== undefined) this.binary.add(name);
    // Of bytes that are no text, what they hold of text is all that can be told.
    const { bytes, matches } = redacted.unscanned === undefined ? redacted : maskInBytes(value, this.#policy, where);
    return this.#found(matches) ? [{ column, value: bytes }] : [];
  }

  /** A value may be told by the name of its column, of its table, and by the cell beside it. */
  #namesOf({ column }: CellChange, { cells }: ScannedRow): string[] {
    const { labels, name: table } = this.#table;
    const own = labels[column] ?? "";
    const role = pairRoleOf(own);
    const beside = cells.flatMap(({ column: other, value }) =>
      role === "value" && pairRoleOf(labels[other] ?? "") === "name" && typeof value === "string" ? [value] : [],
    );
    // A key in the table `api_keys`.
    const ofTable = role === undefined ? [] : [table.replace(/s$/i, "")];
    return [own, ...beside, ...ofTable];
  }
}

/** A row by its key, for people: a rowid, or what of a primary key may be shown. */
function rowName(key: readonly StoredValue[]): string {
  return key.map((part) => (typeof part === "bigint" ? String(part) : "…")).join(", ");
}

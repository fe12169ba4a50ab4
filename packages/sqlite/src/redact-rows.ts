import {
  addMatches,
  maskInBytes,
  pairRoleOf,
  type RedactionPolicy,
  redactDocument,
  redactDocumentText,
  type ScanContext,
} from "@keepsake/core";
import { fold, unfold } from "./folded.js";
import type {
  CellChange,
  RowBatch,
  RowChange,
  ScannedRow,
  ScannedTable,
  StoredValue,
} from "./process/redact/protocol.js";

type Matches = Readonly<Record<string, number>>;

interface BytesOutcome {
  readonly bytes: Uint8Array;
  readonly matches: Matches;
}

/** A column that says how long another one's content is, as that of an SQLite archive does. */
const LENGTH = /^(?:sz|size|length)$|[-_](?:sz|size|len|length)$/i;

/** What of the rows of one table has to change. */
export class RowRedaction {
  readonly #table: ScannedTable;
  readonly #path: string;
  readonly #policy: RedactionPolicy;
  readonly #found: (matches: Matches) => boolean;
  /** columns with bytes that are no text */
  readonly binary = new Set<string>();
  /** columns with compressed bytes that hold more than is looked through */
  readonly tooLarge = new Set<string>();

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
    const { bytes, matches } = this.#bytesOf(value, name, where);
    return this.#found(matches) ? [{ column, value: bytes }] : [];
  }

  #bytesOf(value: Uint8Array, name: string, where: ScanContext): BytesOutcome {
    const unfolded = unfold(value);
    if (unfolded === "too_large") {
      this.tooLarge.add(name);
      return { bytes: value, matches: {} };
    }
    if (unfolded === undefined) return this.#plainBytesOf(value, name, where);
    const inner = this.#sameLength(unfolded.content, name, where);
    const tail = maskInBytes(unfolded.tail, this.#policy, where);
    const matches = sumOf(inner.matches, tail.matches);
    return { bytes: Object.keys(matches).length === 0 ? value : fold(inner.bytes, unfolded, tail.bytes), matches };
  }

  /** Where another column says how long it is, it stays so long if that is possible. */
  #sameLength(content: Uint8Array, name: string, where: ScanContext): BytesOutcome {
    if (!this.#table.columns.some((column) => LENGTH.test(column))) return this.#plainBytesOf(content, name, where);
    const masked = maskInBytes(content, this.#policy, where);
    const rest = this.#plainBytesOf(masked.bytes, name, where);
    return { bytes: rest.bytes, matches: sumOf(masked.matches, rest.matches) };
  }

  #plainBytesOf(value: Uint8Array, name: string, where: ScanContext): BytesOutcome {
    const redacted = redactDocument(value, this.#policy, where);
    if (redacted.unscanned === undefined) return redacted;
    this.binary.add(name);
    // Of bytes that are no text, what they hold of text is all that can be told.
    return maskInBytes(value, this.#policy, where);
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

function sumOf(one: Matches, other: Matches): Matches {
  const sum = { ...one };
  addMatches(sum, other);
  return sum;
}

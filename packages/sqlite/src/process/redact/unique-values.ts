import type { CellChange, RowChange, StoredValue } from "./protocol.js";
import { isUniqueConflict } from "../sqlite-error.js";
import type { TableRows } from "./table-rows.js";

/** A column that refers to one of another table. */
export interface Reference {
  readonly table: string;
  readonly column: string;
  readonly toTable: string;
  readonly toColumn: string;
}

/**
 * Two secrets may be one after redaction, where only one may be: then a number tells them apart, and what refers to them gets
 * the same number.
 */
export class UniqueValues {
  readonly #references: ReadonlyMap<string, Reference>;
  /** by column and former value: what came in its place */
  readonly #numbered = new Map<string, Map<string, string | Uint8Array>>();

  constructor(references: readonly Reference[]) {
    this.#references = new Map(references.map((one) => [placeOf(one.table, one.column), one]));
  }

  /** Writes a row cell by cell; what changes of its key, the rest of the row is then found by. */
  write(rows: TableRows, { key, cells }: RowChange): void {
    const now = [...key];
    for (const cell of cells) {
      const value = this.#writeCell(rows, now, cell);
      const place = rows.placeInKey(cell.column);
      if (place >= 0) now[place] = value;
    }
  }

  #writeCell(rows: TableRows, key: readonly StoredValue[], change: CellChange): string | Uint8Array {
    const column = rows.columns[change.column] ?? "";
    const before = rows.valueOf(key, change.column);
    const reference = this.#references.get(placeOf(rows.name, column));
    const target = reference === undefined ? undefined : placeOf(reference.toTable, reference.toColumn);
    const known = target === undefined ? undefined : this.#numbered.get(target)?.get(textOf(before));
    for (let number = 1; ; number++) {
      const value = known ?? numbered(change.value, number);
      try {
        rows.write(key, { ...change, value });
      } catch (error) {
        if (known !== undefined || !isUniqueConflict(error)) throw error;
        continue;
      }
      if (number > 1) this.#note(placeOf(rows.name, column), before, value);
      return value;
    }
  }

  #note(place: string, before: StoredValue, value: string | Uint8Array): void {
    const values = this.#numbered.get(place) ?? new Map<string, string | Uint8Array>();
    this.#numbered.set(place, values.set(textOf(before), value));
  }
}

function placeOf(table: string, column: string): string {
  return `${table.toLowerCase()}\0${column.toLowerCase()}`;
}

function textOf(value: StoredValue): string {
  return value instanceof Uint8Array ? `x${Buffer.from(value).toString("hex")}` : `t${String(value)}`;
}

function numbered(value: string | Uint8Array, number: number): string | Uint8Array {
  if (number === 1) return value;
  const suffix = ` (${String(number)})`;
  return typeof value === "string" ? value + suffix : Buffer.concat([value, Buffer.from(suffix)]);
}

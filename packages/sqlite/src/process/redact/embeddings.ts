import type Database from "better-sqlite3";
import type { JsonObject } from "@keepsake/core/basics";
import { prepared } from "../better-sqlite.js";
import { quoted, type TableInfo } from "../names.js";
import type { RowChange } from "./protocol.js";
import type { TableRows } from "./table-rows.js";

const COLUMN = /embed|vector/i;
const VECTORS = /^vector_chunks\d\d$/;

type Shadows = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * Vectors that were made of texts. One tells what its text was about, and at times more: it can be asked how near it is to
 * a guess. Zeros stand instead where that is wanted: in the row of a text that was redacted, and in vector tables at its rowid.
 */
export class Embeddings {
  readonly #connection: Database.Database;
  readonly #shadows: Shadows;
  readonly #vectorTables: readonly TableInfo[];
  readonly #isNulling: boolean;
  readonly #redacted = new Set<bigint>();
  #inRows = false;
  #nulled = 0;

  constructor(connection: Database.Database, tables: readonly TableInfo[], shadows: Shadows, isNulling: boolean) {
    this.#connection = connection;
    this.#shadows = shadows;
    this.#vectorTables = tables.filter(({ module }) => module?.toLowerCase() === "vec0");
    this.#isNulling = isNulling;
  }

  /** To be called before a row is changed: its key may be a part of what changes. */
  ofRow(rows: TableRows, { key }: RowChange): void {
    const [rowid] = key;
    if (key.length === 1 && typeof rowid === "bigint") this.#redacted.add(rowid);
    for (const [column, name] of rows.columns.entries()) {
      if (!COLUMN.test(name)) continue;
      const vector = rows.valueOf(key, column);
      if (!(vector instanceof Uint8Array) || vector.length === 0 || vector.length % 4 !== 0) continue;
      this.#inRows = true;
      if (!this.#isNulling) continue;
      rows.write(key, { column, value: Buffer.alloc(vector.length) });
      this.#nulled++;
    }
  }

  /** Does the same in vector tables. @returns what became of them; undefined where there are none */
  finish(): JsonObject | undefined {
    if (this.#vectorTables.length === 0 && !this.#inRows) return undefined;
    if (!this.#isNulling) return { outcome: "kept" };
    for (const { name } of this.#vectorTables) this.#nullIn(name);
    return { outcome: "nulled", count: this.#nulled };
  }

  #nullIn(owner: string): void {
    const shadows = this.#shadows.get(owner) ?? new Map<string, string>();
    const rowids = shadows.get("rowids");
    const chunks = shadows.get("chunks");
    if (rowids === undefined || chunks === undefined) return;
    const place = prepared(
      this.#connection,
      `SELECT r.chunk_id, r.chunk_offset, c.size FROM ${quoted(rowids)} r JOIN ${quoted(chunks)} c ON c.chunk_id = r.chunk_id WHERE r.rowid = ?`,
    );
    for (const rowid of this.#redacted) {
      const at = place.get(rowid) as
        | { readonly chunk_id: bigint; readonly chunk_offset: bigint; readonly size: bigint }
        | undefined;
      if (at === undefined) continue;
      this.#nulled++;
      for (const [suffix, table] of shadows) if (VECTORS.test(suffix)) this.#nullAt(table, at);
    }
  }

  #nullAt(
    table: string,
    { chunk_id: chunk, chunk_offset: offset, size }: { chunk_id: bigint; chunk_offset: bigint; size: bigint },
  ): void {
    const vectors = prepared(this.#connection, `SELECT vectors FROM ${quoted(table)} WHERE rowid = ?`)
      .pluck()
      .get(chunk);
    if (!(vectors instanceof Uint8Array)) return;
    const length = vectors.length / Number(size);
    const changed = Buffer.from(vectors);
    changed.fill(0, Number(offset) * length, (Number(offset) + 1) * length);
    prepared(this.#connection, `UPDATE ${quoted(table)} SET vectors = ? WHERE rowid = ?`).run(changed, chunk);
  }
}

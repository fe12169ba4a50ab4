import type Database from "better-sqlite3";
import { prepared } from "../better-sqlite.js";
import { quoted } from "../names.js";

/** sqlite-vec's view of a metadata text within its chunk: the length, little-endian, and the first bytes. */
const VIEW_BYTES = 16;
const PREFIX_BYTES = 12;

/**
 * Writes how a text of vec0's metadata begins into its chunk, where the module keeps it as well (sqlite-vec 0.1.6,
 * `vec0_metadata_filter_text`). Works on the tables behind the virtual one: the extension need not be there.
 */
export function updateMetadataView(
  connection: Database.Database,
  owner: string,
  number: string,
  rowid: bigint,
  text: string | Uint8Array,
): void {
  const place = prepared(
    connection,
    `SELECT chunk_id, chunk_offset FROM ${quoted(`${owner}_rowids`)} WHERE rowid = ?`,
  ).get(rowid) as { readonly chunk_id: bigint; readonly chunk_offset: bigint } | undefined;
  if (place === undefined) return;
  const chunks = quoted(`${owner}_metadatachunks${number}`);
  const data = prepared(connection, `SELECT data FROM ${chunks} WHERE rowid = ?`).pluck().get(place.chunk_id);
  if (!(data instanceof Uint8Array)) return;
  const bytes = Buffer.from(text);
  const view = Buffer.alloc(VIEW_BYTES);
  view.writeInt32LE(bytes.length, 0);
  bytes.copy(view, 4, 0, PREFIX_BYTES);
  const changed = Buffer.from(data);
  changed.set(view, Number(place.chunk_offset) * VIEW_BYTES);
  prepared(connection, `UPDATE ${chunks} SET data = ? WHERE rowid = ?`).run(changed, place.chunk_id);
}

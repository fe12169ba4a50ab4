/** So many bytes hold what stands before the deflated part of any entry. */
export const ENTRY_HEAD_BYTES = 64;

/** The types of entries that are deltas, of a base at a distance or one that is named by its id. */
const OFFSET_DELTA = 6;
export const ID_DELTA = 7;

/** What stands at the beginning of an entry of a pack (gitformat-pack(5)). */
export interface EntryHead {
  readonly type: number;
  /** of what the entry inflates to, in bytes */
  readonly size: number;
  /** where in `head` it goes on: for `ID_DELTA` with the base's id, else with the deflated part */
  readonly next: number;
  /** of an offset delta: how far before the entry its base begins, in bytes */
  readonly distance?: number;
}

/** Reads the beginning of an entry. @param head its first {@link ENTRY_HEAD_BYTES}, or as many as there are */
export function parseEntryHead(head: Buffer): EntryHead {
  let at = 0;
  let byte = head[at++] ?? 0;
  const type = (byte >> 4) & 7;
  let size = byte & 15;
  for (let factor = 16; (byte & 0x80) !== 0; factor *= 128) {
    byte = head[at++] ?? 0;
    size += (byte & 0x7f) * factor;
  }
  return type === OFFSET_DELTA ? { type, size, ...distanceAt(head, at) } : { type, size, next: at };
}

/** The distance to the base of an offset delta, with its odd "add one" encoding. */
function distanceAt(head: Buffer, start: number): { distance: number; next: number } {
  let at = start;
  let byte = head[at++] ?? 0;
  let distance = byte & 0x7f;
  while ((byte & 0x80) !== 0) {
    byte = head[at++] ?? 0;
    distance = (distance + 1) * 128 + (byte & 0x7f);
  }
  return { distance, next: at };
}

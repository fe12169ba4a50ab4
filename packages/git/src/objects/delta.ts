import { MAX_OBJECT_BYTES } from "./git-object.js";

/**
 * Applies a delta of a pack to its base (source: git's Documentation/gitformat-pack.txt, "Deltified representation").
 *
 * @returns undefined when the delta is malformed or does not fit the base
 */
export function applyDelta(base: Buffer, delta: Buffer): Buffer | undefined {
  const cursor = { at: 0 };
  if (readSize(delta, cursor) !== base.length) return undefined;
  const size = readSize(delta, cursor);
  if (size > MAX_OBJECT_BYTES) return undefined;
  const out = Buffer.allocUnsafe(size);
  let written = 0;
  while (cursor.at < delta.length) {
    const op = delta[cursor.at++] ?? 0;
    if (op === 0) return undefined;
    if ((op & 0x80) === 0) {
      if (cursor.at + op > delta.length || written + op > size) return undefined;
      delta.copy(out, written, cursor.at, cursor.at + op);
      cursor.at += op;
      written += op;
      continue;
    }
    const from = readBits(delta, cursor, op, 4);
    const length = readBits(delta, cursor, op >> 4, 3) || 0x10000;
    if (from + length > base.length || written + length > size) return undefined;
    base.copy(out, written, from, from + length);
    written += length;
  }
  return written === size ? out : undefined;
}

/** A little-endian number of 7 bits a byte. */
function readSize(bytes: Buffer, cursor: { at: number }): number {
  let value = 0;
  let factor = 1;
  for (;;) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) return -1;
    value += (byte & 0x7f) * factor;
    if ((byte & 0x80) === 0) return value;
    factor *= 128;
  }
}

/** A number whose bytes are there or not as the low bits of `mask` say. */
function readBits(bytes: Buffer, cursor: { at: number }, mask: number, count: number): number {
  let value = 0;
  for (let index = 0; index < count; index++) {
    if ((mask & (1 << index)) !== 0) value += (bytes[cursor.at++] ?? 0) * 2 ** (8 * index);
  }
  return value;
}

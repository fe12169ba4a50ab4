import { type FrameSize, KeepsakeError } from "@keepsake/core";

/**
 * The seek table of the Zstandard Seekable Format (zstd, contrib/seekable_format): a skippable frame behind all others, which a
 * decoder passes over. Little-endian numbers of four bytes.
 */
const SKIPPABLE_MAGIC = 0x184d2a5e;
const SEEKABLE_MAGIC = 0x8f92eab1;
const HEAD_BYTES = 8;
/** the number of frames, a descriptor, the magic number */
const FOOT_BYTES = 9;
const ENTRY_BYTES = 8;
const CHECKSUM_FLAG = 0x80;
const RESERVED_BITS = 0x7c;
const CHECKSUM_BYTES = 4;
/** The format's own limit. */
const MAX_FRAMES = 0x8000000;

export function writeSeekTable(frames: readonly FrameSize[]): Buffer {
  const size = frames.length * ENTRY_BYTES + FOOT_BYTES;
  const table = Buffer.alloc(HEAD_BYTES + size);
  table.writeUInt32LE(SKIPPABLE_MAGIC, 0);
  table.writeUInt32LE(size, 4);
  for (const [index, { encodedBytes, contentBytes }] of frames.entries()) {
    table.writeUInt32LE(encodedBytes, HEAD_BYTES + index * ENTRY_BYTES);
    table.writeUInt32LE(contentBytes, HEAD_BYTES + index * ENTRY_BYTES + 4);
  }
  table.writeUInt32LE(frames.length, table.length - FOOT_BYTES);
  table.writeUInt32LE(SEEKABLE_MAGIC, table.length - 4);
  return table;
}

/**
 * Reads a seek table, of any maker.
 *
 * @param readEnd reads so many of the last bytes, or all where there are fewer
 * @returns undefined when there is none
 * @throws KeepsakeError `E_INTEGRITY` when it contradicts itself
 */
export async function readSeekTable(
  readEnd: (bytes: number) => Promise<Uint8Array>,
): Promise<readonly FrameSize[] | undefined> {
  const foot = asBuffer(await readEnd(FOOT_BYTES));
  if (foot.length < FOOT_BYTES || foot.readUInt32LE(FOOT_BYTES - 4) !== SEEKABLE_MAGIC) return undefined;
  const count = foot.readUInt32LE(0);
  const descriptor = foot.readUInt8(4);
  if (count > MAX_FRAMES || (descriptor & RESERVED_BITS) !== 0) throw malformed();
  const entryBytes = ENTRY_BYTES + ((descriptor & CHECKSUM_FLAG) === 0 ? 0 : CHECKSUM_BYTES);
  const size = count * entryBytes + FOOT_BYTES;
  const table = asBuffer(await readEnd(HEAD_BYTES + size));
  const isWhole = table.length === HEAD_BYTES + size;
  if (!isWhole || table.readUInt32LE(0) !== SKIPPABLE_MAGIC || table.readUInt32LE(4) !== size) throw malformed();
  return Array.from({ length: count }, (_none, index) => {
    const at = HEAD_BYTES + index * entryBytes;
    return { encodedBytes: table.readUInt32LE(at), contentBytes: table.readUInt32LE(at + 4) };
  });
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

function malformed(): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", "The seek table of a zstd file is malformed.");
}

import { KeepsakeError } from "@keepsake/core";

/** What begins every frame: 28 B5 2F FD. */
export const FRAME_MAGIC = 0xfd2fb528;
/** The largest block there is; RFC 8878, 3.1.1.2.4. */
const MAX_BLOCK_BYTES = 128 * 1024;

const CHECKSUM_BIT = 0x04;
const RESERVED_BIT = 0x08;
const SINGLE_SEGMENT_BIT = 0x20;
const FOUR_BYTE_SIZE = 0x80;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

/** A frame header, as RFC 8878, 3.1.1.1 defines it. */
export interface FrameHeader {
  /** the header as it stands in the stream, magic number included */
  readonly bytes: Uint8Array;
  readonly windowBytes: number;
  /** undefined: the frame does not say how long its content is */
  readonly contentBytes: number | undefined;
  readonly hasChecksum: boolean;
  readonly maxBlockBytes: number;
}

/** How long the header is that has this descriptor (the byte after the magic number). */
export function headerLength(descriptor: number): number {
  return 5 + windowLength(descriptor) + dictionaryIdLength(descriptor) + contentSizeLength(descriptor);
}

/**
 * @param bytes exactly the header
 * @throws KeepsakeError `E_INTEGRITY` for a reserved bit, `E_UNSUPPORTED` for a dictionary
 */
export function parseFrameHeader(bytes: Uint8Array): FrameHeader {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const descriptor = header.readUInt8(4);
  if ((descriptor & RESERVED_BIT) !== 0) {
    throw new KeepsakeError("E_INTEGRITY", "A zstd frame header has a reserved bit set.");
  }
  const windowAt = 5;
  const dictionaryAt = windowAt + windowLength(descriptor);
  const sizeAt = dictionaryAt + dictionaryIdLength(descriptor);
  if (header.subarray(dictionaryAt, sizeAt).some((byte) => byte !== 0)) {
    throw new KeepsakeError("E_UNSUPPORTED", "A zstd frame needs a dictionary.", {
      hint: "Decompress it with the dictionary, and compress it again without one.",
    });
  }
  const contentBytes = readContentSize(header.subarray(sizeAt));
  const isSingleSegment = (descriptor & SINGLE_SEGMENT_BIT) !== 0;
  const windowBytes = isSingleSegment ? (contentBytes ?? 0) : windowFromDescriptor(header.readUInt8(windowAt));
  return {
    bytes,
    windowBytes,
    contentBytes,
    hasChecksum: (descriptor & CHECKSUM_BIT) !== 0,
    maxBlockBytes: Math.min(windowBytes, MAX_BLOCK_BYTES),
  };
}

/**
 * The header of a frame with the same window that also states the content size, and that a checksum follows. A header
 * without a window (a single segment) keeps saying so: its window is the content size.
 *
 * @param contentBytes below 4 GiB
 */
export function withSizeAndChecksum(header: FrameHeader, contentBytes: number): Buffer {
  const descriptor = header.bytes[4] ?? 0;
  const window = header.bytes.subarray(5, 5 + windowLength(descriptor));
  const head = Buffer.alloc(5);
  head.writeUInt32LE(FRAME_MAGIC, 0);
  head.writeUInt8(FOUR_BYTE_SIZE | CHECKSUM_BIT | (descriptor & SINGLE_SEGMENT_BIT), 4);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(contentBytes);
  return Buffer.concat([head, window, size]);
}

/** A bare header, window alone, whose window is at least `windowBytes`. */
export function plainHeader(windowBytes: number): Buffer {
  let descriptor = 0;
  while (windowFromDescriptor(descriptor) < windowBytes) descriptor += 1;
  const header = Buffer.alloc(6);
  header.writeUInt32LE(FRAME_MAGIC, 0);
  header.writeUInt8(descriptor, 5);
  return header;
}

function windowFromDescriptor(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function windowLength(descriptor: number): number {
  return (descriptor & SINGLE_SEGMENT_BIT) === 0 ? 1 : 0;
}

function dictionaryIdLength(descriptor: number): number {
  return DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3];
}

function contentSizeLength(descriptor: number): number {
  const flag = (descriptor >> 6) as 0 | 1 | 2 | 3;
  if (flag === 0) return (descriptor & SINGLE_SEGMENT_BIT) === 0 ? 0 : 1;
  return CONTENT_SIZE_BYTES[flag];
}

function readContentSize(field: Buffer): number | undefined {
  if (field.length === 0) return undefined;
  if (field.length === 2) return field.readUInt16LE() + 256;
  // Beyond 2^53 the number is not exact; it is over every limit all the same.
  if (field.length === 8) return Number(field.readBigUInt64LE());
  return field.readUIntLE(0, field.length);
}

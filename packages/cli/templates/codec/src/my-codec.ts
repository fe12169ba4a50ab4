import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants, crc32 } from "node:zlib";
import { abortable, ByteReader, type ByteStream, type Codec, type ErrorCode, KeepsakeError } from "@keepsake/core";

export interface MyCodecOptions {
  /** 0 (fast) to 11 (small); default 4 */
  readonly quality?: number | undefined;
}

const MAGIC = Buffer.from("my-codec 1\n");
const FRAME_BYTES = 256 * 1024;
/** What follows tells of the frame: sizes in bytes of its content and of its compressed form, and the content's CRC-32. */
const HEADER_BYTES = 12;
/** Larger than any compressed form that is written: a damaged size must not make the decoder wait for gigabytes. */
const MAX_COMPRESSED_BYTES = 2 * FRAME_BYTES;

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

const refuse = (code: ErrorCode, what: string, cause?: unknown): KeepsakeError =>
  new KeepsakeError(code, `The my-codec stream ${what}.`, { cause });

/**
 * Brotli has no magic number and no checksum, and cannot tell where it was cut: so it is written in frames that have both,
 * and an empty frame ends the stream.
 */
async function* encode(input: ByteStream, quality: number): ByteStream {
  const reader = new ByteReader(input);
  try {
    yield Buffer.from(MAGIC);
    // Frames of one size, however the input is cut: equal content gives equal output.
    for (let content = await reader.read(FRAME_BYTES); content.length > 0; content = await reader.read(FRAME_BYTES)) {
      const compressed = await compress(content, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } });
      yield header(content.length, compressed.length, crc32(content));
      yield compressed;
    }
    yield header(0, 0, 0);
  } finally {
    await reader.close();
  }
}

async function* decode(input: ByteStream, maxOutputBytes: number): ByteStream {
  const reader = new ByteReader(input);
  try {
    const magic = await reader.read(MAGIC.length);
    if (!MAGIC.subarray(0, magic.length).equals(magic)) throw refuse("E_INTEGRITY", "begins otherwise");
    if (magic.length < MAGIC.length) throw refuse("E_TRUNCATED", "ends in its first bytes");
    for (let given = 0; ; ) {
      const [size, compressedSize, sum] = readHeader(await reader.read(HEADER_BYTES));
      if (size === 0 && compressedSize === 0 && sum === 0) break;
      if (size === 0 || size > FRAME_BYTES || compressedSize > MAX_COMPRESSED_BYTES) {
        throw refuse("E_INTEGRITY", "has a frame of an impossible size");
      }
      given += size;
      if (given > maxOutputBytes) throw refuse("E_LIMIT", `holds more than ${String(maxOutputBytes)} bytes`);
      const compressed = await reader.read(compressedSize);
      if (compressed.length < compressedSize) throw refuse("E_TRUNCATED", "ends in a frame");
      const content = await decompress(compressed, { maxOutputLength: FRAME_BYTES }).catch((error: unknown) => {
        throw refuse("E_INTEGRITY", "is damaged", error);
      });
      if (content.length !== size || crc32(content) !== sum) throw refuse("E_INTEGRITY", "is damaged");
      yield content;
    }
    if ((await reader.readSome()) !== undefined) throw refuse("E_TRAILING_DATA", "is followed by something else");
  } finally {
    await reader.close();
  }
}

function header(...numbers: readonly [size: number, compressedSize: number, sum: number]): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, index * 4);
  return bytes;
}

function readHeader(bytes: Uint8Array): readonly [size: number, compressedSize: number, sum: number] {
  if (bytes.length < HEADER_BYTES) throw refuse("E_TRUNCATED", "ends without its last frame");
  const view = Buffer.from(bytes);
  return [view.readUInt32BE(0), view.readUInt32BE(4), view.readUInt32BE(8)];
}

/** A codec that compresses with Brotli. It keeps nothing between calls, and several streams may run at once. */
export function myCodec({ quality = 4 }: MyCodecOptions = {}): Codec {
  return {
    id: "my-codec",
    suffix: ".my-codec",
    encode: (input, { signal } = {}) => encode(abortable(input, signal), quality),
    decode: (input, { maxOutputBytes, signal }) => decode(abortable(input, signal), maxOutputBytes),
  };
}

import { type ByteReader, KeepsakeError } from "@keepsake/core";
import { FRAME_MAGIC, type FrameHeader, headerLength, parseFrameHeader } from "./frame-header.js";

const SKIPPABLE_MAGIC = 0x184d2a50;
const RAW_BLOCK = 0;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** One block of a frame. */
export interface Block {
  /** header and content as they stand in the stream */
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
  /** it decodes to at most this many bytes; exactly this many unless it is compressed */
  readonly outputBound: number;
}

/** Finds frames and blocks in a stream, by RFC 8878, 3.1.1, without decoding them. */
export class FrameReader {
  readonly #reader: ByteReader;
  #atStart = true;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  /**
   * The header of the next frame; skippable frames are passed over. Undefined at the end of the stream.
   *
   * @throws KeepsakeError `E_TRUNCATED`, `E_TRAILING_DATA`, `E_INTEGRITY`, `E_UNSUPPORTED`
   */
  async nextHeader(): Promise<FrameHeader | undefined> {
    for (;;) {
      const magic = await this.#reader.peek(4);
      if (magic.length === 0 && !this.#atStart) return undefined;
      const kind = kindOf(magic);
      if (kind === "truncated") throw truncated();
      if (kind === "foreign") throw this.#foreign();
      this.#atStart = false;
      if (kind === "frame") return this.#header();
      await this.#skip();
    }
  }

  /** @throws KeepsakeError `E_TRUNCATED`, `E_INTEGRITY` */
  async nextBlock(header: FrameHeader): Promise<Block> {
    const head = await this.#peekExactly(3);
    const fields = (head[0] ?? 0) | ((head[1] ?? 0) << 8) | ((head[2] ?? 0) << 16);
    const isLast = (fields & 1) === 1;
    const type = (fields >> 1) & 3;
    const size = fields >> 3;
    if (type === RESERVED_BLOCK)
      throw new KeepsakeError("E_INTEGRITY", "A zstd block is of a type that does not exist.");
    if (size > header.maxBlockBytes)
      throw new KeepsakeError("E_INTEGRITY", "A zstd block is larger than its frame allows.");
    const bytes = await this.#readExactly(3 + (type === RLE_BLOCK ? 1 : size));
    return { bytes, isLast, outputBound: type === RAW_BLOCK || type === RLE_BLOCK ? size : header.maxBlockBytes };
  }

  /** The content checksum that follows the last block of a frame that has one. */
  async checksum(): Promise<Uint8Array> {
    return this.#readExactly(4);
  }

  async #header(): Promise<FrameHeader> {
    const start = await this.#peekExactly(5);
    return parseFrameHeader(await this.#readExactly(headerLength(start[4] ?? 0)));
  }

  async #skip(): Promise<void> {
    const head = await this.#readExactly(8);
    let left = Buffer.from(head).readUInt32LE(4);
    while (left > 0) {
      const bytes = await this.#reader.read(Math.min(left, 64 * 1024));
      if (bytes.length === 0) throw truncated();
      left -= bytes.length;
    }
  }

  async #peekExactly(size: number): Promise<Uint8Array> {
    const bytes = await this.#reader.peek(size);
    if (bytes.length < size) throw truncated();
    return bytes;
  }

  async #readExactly(size: number): Promise<Uint8Array> {
    const bytes = await this.#reader.read(size);
    if (bytes.length < size) throw truncated();
    return bytes;
  }

  #foreign(): KeepsakeError {
    return this.#atStart
      ? new KeepsakeError("E_INTEGRITY", "This is not zstd: it begins otherwise.")
      : new KeepsakeError("E_TRAILING_DATA", "Something that is not zstd follows the last zstd frame.");
  }
}

/** What stands where a frame must begin. Fewer than four bytes are `truncated` when a frame could begin so. */
function kindOf(magic: Uint8Array): "frame" | "skippable" | "foreign" | "truncated" {
  const isFrame = startsAs(magic, FRAME_MAGIC, 0);
  const isSkippable = startsAs(magic, SKIPPABLE_MAGIC, 0x0f);
  if (!isFrame && !isSkippable) return "foreign";
  if (magic.length < 4) return "truncated";
  return isFrame ? "frame" : "skippable";
}

function startsAs(bytes: Uint8Array, magic: number, freeBits: number): boolean {
  return bytes.every((byte, index) => {
    const free = index === 0 ? freeBits : 0;
    return (byte & ~free) === ((magic >>> (8 * index)) & 0xff & ~free);
  });
}

function truncated(): KeepsakeError {
  return new KeepsakeError("E_TRUNCATED", "The zstd stream ends in the middle of a frame.");
}

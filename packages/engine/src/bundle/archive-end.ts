import { type ByteStream, KeepsakeError } from "@keepsake/core";

const BLOCK = 512;
/** Two blocks of zeros end a tar archive (POSIX.1-2017, pax, "ustar Interchange Format"). */
const TERMINATOR = 2 * BLOCK;
/** Chunks are handed on in pieces of at most this, so that the reader is never far behind, in bytes. */
const PIECE = 256 * 1024;
/**
 * More zeros than this after the last entry are no padding but a bomb, in bytes. Far above what the reader is behind, so
 * that zeros of an entry which it has not come to yet are not taken for it.
 */
const MAX_PADDING = 64 * 1024 * 1024;

/** Where an entry's content begins in the archive, and how long it is. */
export interface EntrySpan {
  readonly offset: number;
  readonly size: number;
  /** true when a pax record or GNU long name stands before the entry's own header */
  readonly extended: boolean;
}

/**
 * Watches the raw bytes of an archive for what the tar reader accepts and we do not: an archive cut at an entry boundary,
 * and data after its end.
 */
export class ArchiveEnd implements AsyncIterable<Uint8Array> {
  readonly #input: ByteStream;
  #total = 0;
  #trailingZeros = 0;
  #contentEnd = 0;

  constructor(input: ByteStream) {
    this.#input = input;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#input) {
      for (let at = 0; at < chunk.length; at += PIECE) {
        const piece = chunk.subarray(at, at + PIECE);
        this.#total += piece.length;
        this.#trailingZeros = countTrailingZeros(piece, this.#trailingZeros);
        if (Math.min(this.#total - this.#contentEnd, this.#trailingZeros) > MAX_PADDING) throw trailingData();
        yield piece;
      }
    }
  }

  /** @throws KeepsakeError `E_TRAILING_DATA` when the archive had already ended before this entry */
  note(span: EntrySpan): void {
    const headers = span.offset - this.#contentEnd;
    if (headers > BLOCK && !span.extended) throw trailingData();
    this.#contentEnd = span.offset + Math.ceil(span.size / BLOCK) * BLOCK;
  }

  /** @throws KeepsakeError `E_TRUNCATED`, `E_TRAILING_DATA`; call it once the stream has been read to its end */
  check(): void {
    const rest = this.#total - this.#contentEnd;
    if (rest > this.#trailingZeros) throw trailingData();
    if (rest < TERMINATOR) throw new KeepsakeError("E_TRUNCATED", "The archive has no end: it was cut off.");
  }
}

function countTrailingZeros(chunk: Uint8Array, before: number): number {
  let index = chunk.length;
  while (index > 0 && chunk[index - 1] === 0) index--;
  return index === 0 ? before + chunk.length : chunk.length - index;
}

function trailingData(): KeepsakeError {
  return new KeepsakeError("E_TRAILING_DATA", "The archive goes on after its end.");
}

import { closeSync, openSync, readSync } from "node:fs";
import { writeAllNow } from "./durable.js";

/** Files are put together to blocks of this size, in bytes; none of them may be larger. */
const BLOCK_BYTES = 1024 * 1024;
/** So many blocks stay in memory; what is more lies one after the other in one file. */
const BLOCKS_IN_MEMORY = 4;

/** A run of kept files. */
class Block {
  /** while it is in memory */
  bytes: Buffer | undefined;
  readonly #readBack: (start: number, length: number) => Buffer;

  /** @param readBack reads it where it was written to, once it is not in memory any more */
  constructor(bytes: Buffer, readBack: (start: number, length: number) => Buffer) {
    this.bytes = bytes;
    this.#readBack = readBack;
  }

  read(start: number, length: number): Buffer {
    return this.bytes?.subarray(start, start + length) ?? this.#readBack(start, length);
  }
}

/** Bytes that were kept. */
export interface KeptBytes {
  readonly sizeBytes: number;
  /** As often as wanted; not to be changed, and good until more is kept. */
  read(): Buffer;
}

/** Of a class, since there are so many of them: an object with a closure would be a multiple of it. */
class Kept implements KeptBytes {
  readonly sizeBytes: number;
  readonly #block: Block;
  readonly #start: number;

  constructor(block: Block, start: number, sizeBytes: number) {
    this.sizeBytes = sizeBytes;
    this.#block = block;
    this.#start = start;
  }

  read(): Buffer {
    return this.#block.read(this.#start, this.sizeBytes);
  }
}

/**
 * Keeps the bytes of many small files without a file, or a piece of memory, for each of them: both cost far more than the
 * bytes. It works without waiting: what is written and read back here is in the memory of the system.
 */
export class SmallFiles implements Disposable {
  readonly #path: string;
  #blocks = 0;
  #block: Block | undefined;
  #filled = 0;
  #file: number | undefined;
  /** how much lies in the file */
  #written = 0;

  /** @param path a private path, for what is too much for memory; used only then */
  constructor(path: string) {
    this.#path = path;
  }

  /** The largest that is taken, in bytes. */
  static get maxBytes(): number {
    return BLOCK_BYTES;
  }

  /** Copies the bytes: theirs may be used for others. @throws RangeError when they are too many; the system error */
  keep(bytes: Uint8Array): KeptBytes {
    if (bytes.length > BLOCK_BYTES) throw new RangeError(`More than ${String(BLOCK_BYTES)} bytes are no small file.`);
    const hasRoom = this.#filled + bytes.length <= BLOCK_BYTES;
    const block = (hasRoom ? this.#block : undefined) ?? this.#nextBlock();
    const start = this.#filled;
    block.bytes?.set(bytes, start);
    this.#filled += bytes.length;
    return new Kept(block, start, bytes.length);
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #nextBlock(): Block {
    this.#blocks += 1;
    const isToStay = this.#blocks <= BLOCKS_IN_MEMORY;
    // The first that is too much is where all others go through on their way to the file.
    const isFirst = isToStay || this.#file === undefined;
    if (!isToStay && isFirst) this.#file = openSync(this.#path, "wx+", 0o600);
    const bytes = isFirst ? Buffer.allocUnsafeSlow(BLOCK_BYTES) : this.#spill();
    const place = this.#written;
    this.#block = new Block(bytes, (start, length) => this.#readBack(place + start, length));
    this.#filled = 0;
    return this.#block;
  }

  /** @returns the memory of the block that is in the file now */
  #spill(): Buffer {
    const bytes = this.#block?.bytes;
    if (this.#file === undefined || this.#block === undefined || bytes === undefined) {
      throw new TypeError("Nothing is kept any more.");
    }
    writeAllNow(this.#file, bytes, this.#written);
    this.#block.bytes = undefined;
    this.#written += BLOCK_BYTES;
    return bytes;
  }

  #readBack(start: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let read = 0; read < length; ) {
      const got = this.#file === undefined ? 0 : readSync(this.#file, bytes, read, length - read, start + read);
      if (got === 0) throw new TypeError("What was kept is not there any more.");
      read += got;
    }
    return bytes;
  }
}

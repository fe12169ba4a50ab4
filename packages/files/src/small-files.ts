import { closeSync, openSync, readSync } from "node:fs";
import { writeAllNow } from "./durable.js";

/** Files are put together to blocks of this size, in bytes; none of them may be larger. */
const BLOCK_BYTES = 1024 * 1024;
/** So many blocks stay in memory; what is more lies one after the other in one file. */
const BLOCKS_IN_MEMORY = 4;

/**
 * Keeps the bytes of many small files without a file, or a piece of memory, for each of them: both cost far more than the
 * bytes. It works without waiting: what is written and read back here is in the memory of the system.
 */
export class SmallFiles implements Disposable {
  readonly #path: string;
  #blocks = 0;
  #block = Buffer.alloc(0);
  #filled = 0;
  #file: number | undefined;
  /** where the block will be in the file; undefined while blocks stay in memory */
  #blockPlace: number | undefined;

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
    if (this.#filled + bytes.length > this.#block.length) this.#beginBlock();
    const [block, start] = [this.#block, this.#filled];
    block.set(bytes, start);
    this.#filled += bytes.length;
    const kept = block.subarray(start, this.#filled);
    const place = this.#blockPlace;
    // A block that goes to the file is filled again with others.
    const isHere = (): boolean => place === undefined || place === this.#blockPlace;
    const sizeBytes = bytes.length;
    return { sizeBytes, read: () => (isHere() ? kept : this.#readBack((place ?? 0) + start, sizeBytes)) };
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #beginBlock(): void {
    if (this.#blocks < BLOCKS_IN_MEMORY) {
      this.#blocks += 1;
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    } else if (this.#blockPlace === undefined) {
      this.#file = openSync(this.#path, "wx+", 0o600);
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#blockPlace = 0;
    } else {
      this.#write(this.#block, this.#blockPlace);
      this.#blockPlace += BLOCK_BYTES;
    }
    this.#filled = 0;
  }

  #write(block: Buffer, place: number): void {
    const file = this.#file;
    if (file === undefined) throw new TypeError("Nothing is kept any more.");
    writeAllNow(file, block, place);
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

/** Bytes that were kept. */
export interface KeptBytes {
  readonly sizeBytes: number;
  /** As often as wanted; not to be changed, and good until more is kept. */
  read(): Buffer;
}

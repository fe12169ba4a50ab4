import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** Files are put together to blocks of this size, in bytes; none of them may be larger. */
const BLOCK_BYTES = 1024 * 1024;
/** So many blocks stay in memory; what is more lies one after the other in one file. */
const BLOCKS_IN_MEMORY = 12;

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
  #end = 0;

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
    if (this.#filled + bytes.length > this.#block.length && !this.#hasNewBlock()) return this.#spill(bytes);
    const start = this.#filled;
    this.#block.set(bytes, start);
    this.#filled += bytes.length;
    const kept = this.#block.subarray(start, this.#filled);
    return { sizeBytes: kept.length, read: () => kept };
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #hasNewBlock(): boolean {
    if (this.#blocks >= BLOCKS_IN_MEMORY) return false;
    this.#blocks += 1;
    this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.#filled = 0;
    return true;
  }

  #spill(bytes: Uint8Array): KeptBytes {
    const file = (this.#file ??= openSync(this.#path, "wx+", 0o600));
    const start = this.#end;
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, start + done);
    this.#end += bytes.length;
    return { sizeBytes: bytes.length, read: () => this.#readBack(start, bytes.length) };
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
  /** as often as wanted; not to be changed */
  read(): Buffer;
}

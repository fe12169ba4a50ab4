import type { FileHandle } from "node:fs/promises";

/** What has been written is put on the disk each time it has become so much, in bytes. */
const EVERY_BYTES = 64 * 1024 * 1024;

/**
 * Puts on the disk what has been written to a file while more of it is made: nobody has to wait for all of it at the end. A
 * system tells once that something could not be put there, and then says of the rest that it was: it is to be asked here.
 */
export class EarlySync {
  readonly #handle: FileHandle;
  #unsynced = 0;
  #isUnderWay = false;
  #failure: { readonly error: unknown } | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** @throws the system error of what was written before */
  wrote(bytes: number): void {
    this.#check();
    this.#unsynced += bytes;
    if (this.#unsynced < EVERY_BYTES || this.#isUnderWay) return;
    this.#unsynced = 0;
    this.#isUnderWay = true;
    this.#last = this.#sync();
  }

  /** @throws the system error of what was written */
  async end(): Promise<void> {
    await this.#last;
    this.#check();
  }

  async #sync(): Promise<void> {
    try {
      await this.#handle.datasync();
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#isUnderWay = false;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

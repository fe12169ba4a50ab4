import type { ByteStream } from "@keepsake/core";

/** Some bytes of a stream, and whether they are its last. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

const FIRST_BUFFER_BYTES = 64 * 1024;

/** Cuts a stream into parts of chosen sizes. Holds one part and one chunk. */
export class PartReader {
  readonly #input: AsyncIterator<Uint8Array>;
  #pending: Uint8Array | undefined;
  #ended = false;

  constructor(input: ByteStream) {
    this.#input = input[Symbol.asyncIterator]();
  }

  /** The next `size` bytes; fewer only where the stream ends. Looks one chunk ahead, so that the last part is known as such. */
  async next(size: number): Promise<Part> {
    let buffer = Buffer.allocUnsafeSlow(Math.min(size, FIRST_BUFFER_BYTES));
    let used = 0;
    for (;;) {
      const chunk = await this.#peek();
      if (chunk === undefined) return { bytes: buffer.subarray(0, used), isLast: true };
      if (used === size) return { bytes: buffer, isLast: false };
      const taken = chunk.subarray(0, size - used);
      if (used + taken.length > buffer.length) {
        const larger = Buffer.allocUnsafeSlow(Math.min(size, Math.max(used + taken.length, buffer.length * 4)));
        larger.set(buffer.subarray(0, used));
        buffer = larger;
      }
      buffer.set(taken, used);
      used += taken.length;
      this.#pending = taken.length < chunk.length ? chunk.subarray(taken.length) : undefined;
    }
  }

  /** Closes the input; needed when it was not read to its end. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#input.return?.();
  }

  async #peek(): Promise<Uint8Array | undefined> {
    while (this.#pending === undefined && !this.#ended) {
      const step = await this.#step();
      if (step.done === true) this.#ended = true;
      else if (step.value.length > 0) this.#pending = step.value;
    }
    return this.#pending;
  }

  async #step(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#input.next();
    } catch (error) {
      this.#ended = true;
      throw error;
    }
  }
}

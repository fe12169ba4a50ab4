import type { ByteStream } from "./byte-stream.js";

/**
 * Reads a stream in portions of a chosen size, however it is cut into chunks. What it returns may be a view of an input
 * chunk; it holds no more of the input than the largest portion asked for and one chunk.
 */
export class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #ended = false;

  constructor(input: ByteStream) {
    this.#iterator = input[Symbol.asyncIterator]();
  }

  /** The next `size` bytes; fewer only where the stream ends. */
  async read(size: number): Promise<Uint8Array> {
    const bytes = await this.peek(size);
    this.#drop(bytes.length);
    return bytes;
  }

  /** As `read`, and the bytes stay to be read. */
  async peek(size: number): Promise<Uint8Array> {
    await this.#fill(size);
    const first = this.#chunks[0];
    if (first === undefined) return new Uint8Array(0);
    if (first.length >= size) return first.subarray(0, size);
    const bytes = Buffer.concat(this.#chunks, this.#buffered);
    this.#chunks = [bytes];
    return bytes.subarray(0, size);
  }

  /** All that is buffered, or the next chunk; undefined at the end. Never empty. */
  async readSome(): Promise<Uint8Array | undefined> {
    await this.#fill(1);
    const first = this.#chunks.shift();
    if (first === undefined) return undefined;
    this.#buffered -= first.length;
    return first;
  }

  /** Closes the input; needed when it was not read to its end. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#iterator.return?.();
  }

  async #fill(size: number): Promise<void> {
    while (this.#buffered < size && !this.#ended) {
      const step = await this.#next();
      if (step.done === true) {
        this.#ended = true;
      } else if (step.value.length > 0) {
        this.#chunks.push(step.value);
        this.#buffered += step.value.length;
      }
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#iterator.next();
    } catch (error) {
      this.#ended = true;
      throw error;
    }
  }

  #drop(size: number): void {
    this.#buffered -= size;
    let left = size;
    while (left > 0) {
      const first = this.#chunks[0];
      if (first === undefined) return;
      if (first.length > left) {
        this.#chunks[0] = first.subarray(left);
        return;
      }
      left -= first.length;
      this.#chunks.shift();
    }
  }
}

import type { ByteStream } from "./byte-stream.js";

/**
 * Reads a stream in portions of a chosen size, however it is cut into chunks. What it returns may be a view of an input
 * chunk; it holds no more of the input than the largest portion asked for and one chunk.
 */
export class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #chunks: Uint8Array[] = [];
  #buffered = 0;
  #ended = false;

  constructor(input: ByteStream) {
    this.#iterator = input[Symbol.asyncIterator]();
  }

  /** How many bytes can be read without waiting. */
  get buffered(): number {
    return this.#buffered;
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
    // No more of it is copied than is asked for: the rest of the last chunk may be a hundred times as long.
    return Buffer.concat(this.#chunks, Math.min(size, this.#buffered));
  }

  /** What is left of a chunk, or the next one; undefined at the end. Never empty. */
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
    let whole = 0;
    for (const chunk of this.#chunks) {
      if (chunk.length > left) break;
      left -= chunk.length;
      whole += 1;
    }
    // All at once: of a stream of single bytes there are as many chunks.
    this.#chunks.splice(0, whole);
    const [first] = this.#chunks;
    if (left > 0 && first !== undefined) this.#chunks[0] = first.subarray(left);
  }
}

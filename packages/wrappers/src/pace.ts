import type { ByteStream } from "@keepsake/core";
import type { Time } from "./time.js";

/** So many parts of a second's bytes pass at once: a large chunk must not pass in one burst. */
const PARTS_OF_A_SECOND = 10;

/** Lets so many bytes a second pass, of all that goes through it together. */
export class Pace {
  readonly #bytesPerSecond: number;
  readonly #time: Time;
  #freeAt = 0;

  constructor(bytesPerSecond: number, time: Time) {
    if (!(bytesPerSecond > 0)) throw new TypeError("A bandwidth is more than 0 bytes per second.");
    this.#bytesPerSecond = bytesPerSecond;
    this.#time = time;
  }

  /** Waits until it is the turn of so many bytes. @throws the signal's reason */
  async pass(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const now = this.#time.now();
    const startsAt = Math.max(now, this.#freeAt);
    this.#freeAt = startsAt + (bytes * 1_000) / this.#bytesPerSecond;
    if (startsAt > now) await this.#time.sleep(startsAt - now, signal);
    signal?.throwIfAborted();
  }

  async *stream(input: ByteStream, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const most = Math.max(1, Math.ceil(this.#bytesPerSecond / PARTS_OF_A_SECOND));
    for await (const chunk of input) {
      if (chunk.length === 0) yield chunk;
      for (let start = 0; start < chunk.length; start += most) {
        const part = chunk.subarray(start, start + most);
        await this.pass(part.length, signal);
        yield part;
      }
    }
  }
}

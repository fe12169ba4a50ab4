import { createHash } from "node:crypto";
import type { ByteDigest, ByteStream } from "@keepsake/core";
import { closeInput } from "../steps.js";

/**
 * A body that can be read again from its start while all that was taken of it fits `maxBytes`. The last reading that was
 * begun is the one that goes on; an earlier one, of a call that was left behind, ends with an error and takes nothing more.
 * Each is read once: two readings at a time would share the chunks that are no longer held between them.
 */
export class Spool {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #maxBytes: number;
  readonly #hash = createHash("sha256");
  #held: Uint8Array[] | undefined = [];
  #last: Uint8Array | undefined;
  #taken = 0;
  #sizeBytes = 0;
  #step: Promise<void> | undefined;
  #isEnded = false;
  #digest: ByteDigest | undefined;
  #failure: { readonly error: unknown } | undefined;
  #current: ByteStream | undefined;

  constructor(body: ByteStream, maxBytes: number) {
    this.#iterator = body[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
  }

  get canSendAgain(): boolean {
    return this.#held !== undefined && this.#failure === undefined;
  }

  /** of the whole body, once it was taken to its end */
  get digest(): ByteDigest | undefined {
    return this.#digest;
  }

  /** what the body itself failed with */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  send(): ByteStream {
    const held = [...(this.#held ?? [])];
    let isBegun = false;
    const sending: ByteStream = {
      [Symbol.asyncIterator]: () => {
        if (isBegun) throw new TypeError("A body is read once.");
        isBegun = true;
        return this.#chunks(held, sending);
      },
    };
    this.#current = sending;
    return sending;
  }

  async close(): Promise<void> {
    this.#current = undefined;
    this.#held = undefined;
    await closeInput(this.#iterator, this.#step !== undefined, this.#isEnded);
  }

  async *#chunks(held: readonly Uint8Array[], sending: ByteStream): AsyncGenerator<Uint8Array> {
    const isCurrent = (): boolean => this.#current === sending;
    for (let at = 0; ; at++) {
      while (isCurrent() && at >= this.#taken && !this.#isEnded) await (this.#step ??= this.#take());
      if (!isCurrent()) throw new TypeError("The body is read by a later attempt.");
      if (this.#failure !== undefined) throw this.#failure.error;
      const chunk = at < this.#taken ? (held[at] ?? this.#held?.[at] ?? this.#last) : undefined;
      if (chunk === undefined) return;
      // A copy of what is held: a chunk belongs to who gets it.
      yield this.#held === undefined ? chunk : Uint8Array.from(chunk);
    }
  }

  async #take(): Promise<void> {
    try {
      const step = await this.#iterator.next();
      if (step.done === true) {
        this.#isEnded = true;
        this.#digest = { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest("hex") };
        return;
      }
      this.#hash.update(step.value);
      this.#sizeBytes += step.value.length;
      this.#taken += 1;
      this.#last = step.value;
      if (this.#sizeBytes > this.#maxBytes) this.#held = undefined;
      this.#held?.push(step.value);
    } catch (error) {
      this.#isEnded = true;
      this.#failure = { error };
    } finally {
      this.#step = undefined;
    }
  }
}

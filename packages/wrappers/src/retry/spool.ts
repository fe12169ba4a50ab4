import { type ByteDigest, type ByteStream } from "@keepsake/core";
import { createHash } from "node:crypto";
import { closeInput } from "../steps.js";

/** One reading of a body. */
export interface Sending extends AsyncIterable<Uint8Array> {
  /** Whether the store has seen the body's end: no other store can have stored it. */
  readonly reachedEnd: boolean;
}

/**
 * A body that can be read again from its start while all that was taken of it fits `maxBytes`. The last reading that was
 * begun is the one that goes on; an earlier one, of a call that was left behind, ends with an error.
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
  #current: Sending | undefined;

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

  send(): Sending {
    const held = [...(this.#held ?? [])];
    let reachedEnd = false;
    const sending: Sending = {
      get reachedEnd() {
        return reachedEnd;
      },
      [Symbol.asyncIterator]: () =>
        this.#chunks(held, sending, () => {
          reachedEnd = true;
        }),
    };
    this.#current = sending;
    return sending;
  }

  async close(): Promise<void> {
    this.#current = undefined;
    this.#held = undefined;
    await closeInput(this.#iterator, this.#step !== undefined, this.#isEnded);
  }

  async *#chunks(held: readonly Uint8Array[], sending: Sending, atEnd: () => void): AsyncGenerator<Uint8Array> {
    for (let at = 0; ; at++) {
      while (at >= this.#taken && at >= held.length && !this.#isEnded) await (this.#step ??= this.#take());
      if (this.#current !== sending) throw new TypeError("The body is read by a later attempt.");
      if (this.#failure !== undefined) throw this.#failure.error;
      const chunk = at < this.#taken ? (held[at] ?? this.#held?.[at] ?? this.#last) : undefined;
      if (chunk === undefined) {
        atEnd();
        return;
      }
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

import type { ByteStream } from "@keepsake/core";

/** Passes a stream through and remembers what it failed with, so that its errors are not taken for the store's. */
export class WatchedBody implements AsyncIterable<Uint8Array> {
  readonly #body: ByteStream;
  #failure: { readonly error: unknown } | undefined;

  constructor(body: ByteStream) {
    this.#body = body;
  }

  hasFailedWith(error: unknown): boolean {
    return this.#failure !== undefined && this.#failure.error === error;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#body;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}

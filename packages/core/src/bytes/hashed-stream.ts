import { createHash, hash } from "node:crypto";
import type { ByteStream } from "./byte-stream.js";

/** Size and SHA-256 (64 lower-case hex digits) of a run of bytes. */
export interface ByteDigest {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Passes bytes through unchanged and knows, once they have all passed, how many they were and what they hash to. */
export class HashedStream implements AsyncIterable<Uint8Array> {
  readonly #input: ByteStream;
  readonly #hash = createHash("sha256");
  #sizeBytes = 0;
  #digest: ByteDigest | undefined;

  constructor(input: ByteStream) {
    this.#input = input;
  }

  /** @throws TypeError before the stream was consumed to its end */
  get digest(): ByteDigest {
    if (this.#digest === undefined) throw new TypeError("The stream has not been consumed to its end.");
    return this.#digest;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#input) {
      this.#hash.update(chunk);
      this.#sizeBytes += chunk.length;
      yield chunk;
    }
    this.#digest = { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest("hex") };
  }
}

/** SHA-256 of bytes or of a string's UTF-8, as 64 lower-case hex digits. */
export function sha256Hex(data: Uint8Array | string): string {
  return hash("sha256", data, "hex");
}

/** Consumes a stream for its size and digest alone. */
export async function digestOf(input: ByteStream): Promise<ByteDigest> {
  const hashed = new HashedStream(input);
  const iterator = hashed[Symbol.asyncIterator]();
  while (!(await iterator.next()).done);
  return hashed.digest;
}

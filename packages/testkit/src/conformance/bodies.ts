import { createCipheriv } from "node:crypto";
import type { ByteStream } from "@keepsake/core";

/** Bytes that do not compress, the same for every call with the same seed. */
export function noise(sizeBytes: number, seed = 1): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

/** Bytes that compress like text. */
export function prose(sizeBytes: number, seed = 1): Buffer {
  const words = ["memory", "agent", "snapshot", "note", "the", "of", "cursor", "restore", "ünïcode", "\n"];
  const parts: string[] = [];
  for (let size = 0, at = 0; size < sizeBytes; at++) {
    const picked = noise(64, seed * 65_536 + at);
    const line = [...picked].map((byte) => `${words[byte % words.length] ?? ""}${byte} `).join("");
    parts.push(line);
    size += Buffer.byteLength(line);
  }
  return Buffer.from(parts.join("")).subarray(0, sizeBytes);
}

/** All bytes of a stream. Copies each chunk at once: one that is used again afterwards is told by a case of its own. */
export async function gathered(stream: ByteStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** A stream of the given chunks that knows how it was used. */
export class WatchedBody implements AsyncIterable<Uint8Array> {
  isOpened = false;
  isClosed = false;
  readonly #chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

  constructor(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
    this.#chunks = chunks;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.isOpened = true;
    try {
      yield* this.#chunks;
    } finally {
      this.isClosed = true;
    }
  }

  /** Resolves once it was closed; a case's own limit bounds the waiting. */
  async closed(): Promise<void> {
    while (!this.isClosed) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Yields `before`, then calls `then` and goes on with what that gives: nothing, an error, or silence. */
export async function* bodyThat(
  before: Iterable<Uint8Array>,
  then: () => void | Promise<void>,
  after: Iterable<Uint8Array> = [],
): ByteStream & AsyncGenerator<Uint8Array> {
  yield* before;
  await then();
  yield* after;
}

/** Never settles. */
export function silence(): Promise<never> {
  return new Promise<never>(() => undefined);
}

const BLOCK = noise(1024 * 1024, 99);

/** A long stream of chunks of 1 MiB, no two alike, none kept. @param onChunk called before each */
export async function* longBody(
  sizeBytes: number,
  onChunk: () => void = () => undefined,
): ByteStream & AsyncGenerator<Uint8Array> {
  for (let at = 0; at * BLOCK.length < sizeBytes; at++) {
    onChunk();
    const chunk = Buffer.from(BLOCK.subarray(0, sizeBytes - at * BLOCK.length));
    chunk.writeUInt32LE(at, 0);
    yield chunk;
  }
}

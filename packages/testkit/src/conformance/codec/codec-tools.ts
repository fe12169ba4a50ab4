import { type ByteStream, type Codec, type ErrorCode, isKeepsakeError } from "@keepsake/core";
import { chunked } from "../../streams.js";
import { gathered } from "../bodies.js";
import { check, nameOf } from "../expectations.js";

/** Far more than any case decodes: a defect must not fill the memory. */
export const ROOM = { maxOutputBytes: 2 ** 34 };

export async function encoded(codec: Codec, bytes: Uint8Array | string, chunkBytes?: number): Promise<Buffer> {
  return gathered(codec.encode(chunked(bytes, chunkBytes)));
}

export async function decoded(codec: Codec, bytes: Uint8Array, chunkBytes?: number): Promise<Buffer> {
  return gathered(codec.decode(chunked(bytes, chunkBytes), ROOM));
}

/** How a stream ended, and what it gave until then. */
export interface Ending {
  readonly bytes: Buffer;
  /** undefined when it ended well */
  readonly code: ErrorCode | undefined;
}

/** @throws AssertionError when it fails with something that is no KeepsakeError */
export async function endingOf(stream: ByteStream): Promise<Ending> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    return { bytes: Buffer.concat(chunks), code: undefined };
  } catch (error) {
    check(isKeepsakeError(error), `It failed with ${nameOf(error)}, which is no KeepsakeError.`);
    return { bytes: Buffer.concat(chunks), code: error.code };
  }
}

/** About `count` numbers from 0 up to `end`, evenly apart, the last ones all. */
export function spread(end: number, count: number): number[] {
  if (end <= count) return Array.from({ length: end }, (_none, at) => at);
  const even = Array.from({ length: count }, (_none, index) => Math.floor((index * end) / count));
  return [...new Set([...even, ...Array.from({ length: 12 }, (_none, index) => end - 12 + index)])];
}

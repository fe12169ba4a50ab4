import type { ByteStream } from "./byte-stream.js";

/** A stream of the given bytes, or of a text's UTF-8, in one chunk. */
export async function* streamOf(data: Uint8Array | string): ByteStream & AsyncGenerator<Uint8Array> {
  yield typeof data === "string" ? Buffer.from(data) : data;
}

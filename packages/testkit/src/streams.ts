import { type ByteStream, collectBytes } from "@keepsake/core";

/** All bytes of a stream. */
export function collect(stream: ByteStream): Promise<Uint8Array> {
  return collectBytes(stream, Number.POSITIVE_INFINITY);
}

/**
 * The bytes as a stream of chunks of `size` bytes (the last may be shorter). Each chunk is a copy of its own.
 *
 * @param size at least 1; default: all in one chunk
 */
export async function* chunked(bytes: Uint8Array | string, size = Number.POSITIVE_INFINITY): ByteStream {
  const all = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  for (let start = 0; start < all.length; start += size) yield Uint8Array.from(all.subarray(start, start + size));
}

import { KeepsakeError } from "../errors/keepsake-error.js";
import type { ByteStream } from "./byte-stream.js";

/**
 * Reads a stream whole.
 *
 * @param maxBytes upper limit; what exceeds it is not read further
 * @throws KeepsakeError `E_LIMIT` when the stream holds more than `maxBytes`
 */
export async function collectBytes(stream: ByteStream, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new KeepsakeError("E_LIMIT", `More than ${String(maxBytes)} bytes where at most that many are allowed.`, {
        context: { max_bytes: maxBytes },
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

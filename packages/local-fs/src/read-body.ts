import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { type ByteRange, fromSystemError, KeepsakeError, OneAhead } from "@keepsake/core";

const CHUNK_BYTES = 1024 * 1024;

/**
 * The bytes of a file, or of a range of it, of which the next are read while those before them are worked on. Opens on the first
 * `next()`, closes at the end, on an error, and when the consumer stops early.
 *
 * @throws KeepsakeError from the iteration: `E_NOT_FOUND` when the object was deleted meanwhile; `E_IO`, also when the file
 *   ends before the size it had when it was opened
 */
export async function* readBody(
  path: string,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of new OneAhead(chunksOf(path, key, range, signal))) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

async function* chunksOf(
  path: string,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { size } = await handle.stat();
      const start = range?.start ?? 0;
      const end = Math.min(size, start + (range?.length ?? size));
      for (let position = start; position < end; ) {
        signal?.throwIfAborted();
        const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, end - position));
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
        if (bytesRead === 0) throw cutShort(key, size, position);
        position += bytesRead;
        yield bytesRead === chunk.length ? chunk : chunk.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (signal?.aborted === true && error === signal.reason) throw error;
    throw fromSystemError(error, `The object ${JSON.stringify(key)} could not be read`, { key });
  }
}

function cutShort(key: string, sizeBytes: number, endedAt: number): KeepsakeError {
  return new KeepsakeError("E_IO", `The object ${JSON.stringify(key)} became shorter while it was read.`, {
    context: { key, size_bytes: sizeBytes, ended_at: endedAt },
  });
}

import { type FileHandle, open } from "node:fs/promises";
import { OneAhead } from "@keepsake/core/basics";
import type { FsPath } from "./fs-path.js";

const CHUNK_BYTES = 256 * 1024;

/**
 * The bytes of a file, opened on the first read and closed with the iteration; the next chunk is read while the one before it is
 * worked on. Beside Node's own stream it takes no larger buffer than the file has bytes: a small file in a buffer of a quarter of
 * a mebibyte keeps the garbage collector busier than the disk.
 *
 * @param chunkBytes the largest chunk; default 256 KiB. Each chunk has a buffer of its own
 * @throws (from the iteration) the system error
 */
export async function* readChunks(path: FsPath, chunkBytes = CHUNK_BYTES): AsyncGenerator<Buffer> {
  const handle = await open(path);
  try {
    yield* new OneAhead(chunksOf(handle, (await handle.stat()).size, chunkBytes));
  } finally {
    await handle.close();
  }
}

async function* chunksOf(handle: FileHandle, size: number, chunkBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    // One byte more than there should be: not to get it is to see the end.
    const asked = Math.min(Math.max(size - at, 0) + 1, chunkBytes);
    const buffer = Buffer.allocUnsafe(asked);
    const { bytesRead } = await handle.read(buffer, 0, asked, at);
    at += bytesRead;
    if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
    if (bytesRead === 0 || (bytesRead < asked && at >= size)) return;
  }
}

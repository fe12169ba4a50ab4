import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createGunzip, createInflate } from "node:zlib";
import type { ByteStream } from "@keepsake/core";
import { packedObjects } from "./packed-objects.js";

/** What is unfolded of one file at most, in bytes: a small file may unfold to anything. */
const MAX_UNFOLDED_BYTES = 4 * 1024 * 1024 * 1024;

/**
 * What is in a file that its bytes do not show: an object of git, the objects of a pack, what is in gzip. Told by how the file
 * begins, wherever it lies. Nothing for what is none of these, or breaks off.
 */
export async function* unfolded(file: string, signal: AbortSignal | undefined): ByteStream {
  const start = await startOf(file);
  if (start.toString("latin1", 0, 4) === "PACK") {
    yield* limited(packedObjects(file, signal));
    return;
  }
  const isGzip = start[0] === 0x1f && start[1] === 0x8b;
  // RFC 1950: deflate with a window of 32 KiB, and the two bytes together a multiple of 31.
  const isZlib = start[0] === 0x78 && start.length > 1 && start.readUInt16BE(0) % 31 === 0;
  if (!isGzip && !isZlib) return;
  const inflating = isGzip ? createGunzip() : createInflate();
  const source = createReadStream(file, { signal });
  source.on("error", (error) => inflating.destroy(error));
  try {
    yield* limited(source.pipe(inflating) as AsyncIterable<Uint8Array>);
  } catch (error) {
    signal?.throwIfAborted();
    // It only began like one; its bytes as they are have been looked at.
    if (!isZlibError(error)) throw error;
  } finally {
    source.destroy();
  }
}

async function* limited(stream: ByteStream): ByteStream {
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_UNFOLDED_BYTES) return;
    yield chunk;
  }
}

async function startOf(file: string): Promise<Buffer> {
  await using handle = await open(file, "r");
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
  return buffer.subarray(0, bytesRead);
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && /^Z_|^ERR_ZLIB/.test(String((error as NodeJS.ErrnoException).code));
}

import { type FileHandle, open } from "node:fs/promises";
import { createInflate } from "node:zlib";
import type { ByteStream } from "@keepsake/core";

/** `PACK`, version and number of objects (source: gitformat-pack(5)). */
const HEADER_BYTES = 12;
const OFFSET_DELTA = 6;
const REFERENCE_DELTA = 7;
const READ_BYTES = 64 * 1024;

/**
 * The objects of a pack one after the other, inflated; of one that is kept as a difference, the difference: what it adds stands
 * there in the clear. Ends where the file is no pack any more.
 */
export async function* packedObjects(file: string, signal: AbortSignal | undefined): ByteStream {
  await using handle = await open(file, "r");
  const { size } = await handle.stat();
  const header = await readAt(handle, 0, HEADER_BYTES);
  const count = header.length === HEADER_BYTES ? header.readUInt32BE(8) : 0;
  const hashBytes = 20;
  let position = HEADER_BYTES;
  for (let index = 0; index < count && position < size - hashBytes; index++) {
    signal?.throwIfAborted();
    const start = await objectStart(handle, position, hashBytes);
    const inflating = createInflate();
    const feeding = feed(handle, start, inflating);
    try {
      yield* inflating as AsyncIterable<Uint8Array>;
    } catch {
      return;
    } finally {
      inflating.destroy();
      await feeding;
    }
    // What was consumed, not what was given.
    position = start + inflating.bytesWritten;
    // The next object must not run on in a secret of this one.
    yield Uint8Array.of(0xff);
  }
}

/** Where the compressed bytes of an object begin: behind its kind and size, and behind what it is a difference to. */
async function objectStart(handle: FileHandle, position: number, hashBytes: number): Promise<number> {
  const bytes = await readAt(handle, position, 64);
  const kind = ((bytes[0] ?? 0) >> 4) & 7;
  let length = varintLength(bytes, 0);
  if (kind === OFFSET_DELTA) length += varintLength(bytes, length);
  if (kind === REFERENCE_DELTA) length += hashBytes;
  return position + length;
}

function varintLength(bytes: Uint8Array, from: number): number {
  let length = 1;
  while (((bytes[from + length - 1] ?? 0) & 0x80) !== 0) length++;
  return length;
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Gives bytes until the inflating has enough; never fails: that is the reader's to see. */
async function feed(handle: FileHandle, start: number, inflating: ReturnType<typeof createInflate>): Promise<void> {
  let position = start;
  const ended = new Promise<void>((resolve) => {
    inflating.once("end", resolve);
    inflating.once("close", resolve);
    inflating.once("error", () => resolve());
  });
  for (;;) {
    const bytes = await readAt(handle, position, READ_BYTES);
    if (inflating.destroyed || inflating.readableEnded) return;
    if (bytes.length === 0) {
      inflating.end();
      return;
    }
    position += bytes.length;
    const taken = new Promise<void>((resolve) => inflating.write(bytes, () => resolve()));
    await Promise.race([taken, ended]);
  }
}

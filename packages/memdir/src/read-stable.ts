import { readSync } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { errnoOf, fromSystemError } from "@keepsake/core";
import { attributesOf, walkStats, writeAll, youngForMs } from "@keepsake/files";
import { partialLineOf } from "./jsonl.js";
import { fileContent, type StableFile } from "./kept-file.js";
import { markOfFile } from "./look.js";
import { isSame, OPEN_FLAGS, readNow, refusal } from "./read-now.js";
import type { ReadRequest } from "./read-request.js";
import type { Unreadable } from "./unreadable.js";

const CHUNK_BYTES = 1024 * 1024;
/** How often a file that changes while it is read is read again. */
const ATTEMPTS = 3;

/** Reads a file so that its bytes, mode and time are of one moment; again when it changed meanwhile. */
export async function readStable(request: ReadRequest): Promise<StableFile | Unreadable> {
  for (let attempt = 1; ; attempt++) {
    request.signal?.throwIfAborted();
    const now = readNow(request);
    const result = now === "large" ? await readLarge(request) : now;
    if (result !== "changed") return result;
    if (attempt === ATTEMPTS) {
      await unlink(request.copy).catch(() => undefined);
      return { reason: "changing", code: "E_SOURCE_CHANGED" };
    }
    await pause(5 * attempt, request);
  }
}

async function readLarge(request: ReadRequest): Promise<StableFile | Unreadable | "changed"> {
  let handle: FileHandle;
  try {
    handle = await open(request.absolute, OPEN_FLAGS);
  } catch (error) {
    return refusal(error);
  }
  try {
    return await readOpen(handle, request);
  } catch (error) {
    // What cannot be written to the scratch directory is no fault of the file.
    if (errnoOf(error) === undefined || (error as { syscall?: string }).syscall !== "read") throw error;
    return refusal(error);
  } finally {
    await handle.close();
  }
}

async function readOpen(handle: FileHandle, request: ReadRequest): Promise<StableFile | "changed"> {
  const nowMs = Date.now();
  const before = await handle.stat({ bigint: true });
  const size = Number(before.size);
  if (!before.isFile() || size > request.maxFileBytes) return "changed";
  const youngMs = youngForMs(before, nowMs);
  if (youngMs > 0) {
    // Small ones are read once more when they are looked at; this one is let grow old enough first.
    await pause(youngMs, request);
    return "changed";
  }
  const content = await copyAside(handle, size, request);
  if (content === undefined || !isSame(before, await handle.stat({ bigint: true }))) return "changed";
  return { ...content, ...attributesOf(before), mark: markOfFile(walkStats(before)) };
}

async function copyAside(
  handle: FileHandle,
  size: number,
  request: ReadRequest,
): Promise<ReturnType<typeof fileContent> | undefined> {
  await using out = await written(request, open(request.copy, "w+", 0o600));
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let length = 0;
  for (;;) {
    request.signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, length);
    if (bytesRead === 0 || length > size) break;
    await written(request, writeAll(out, buffer.subarray(0, bytesRead)));
    length += bytesRead;
  }
  if (length !== size) return undefined;
  const cut = partialLineOf(request, size, (start, count) => {
    const part = Buffer.allocUnsafe(count);
    return part.subarray(0, readSync(out.fd, part, 0, count, start));
  });
  if (cut > 0) await written(request, out.truncate(size - cut));
  return fileContent(request.copy, cut);
}

/** That the disk of the copy is full says nothing of the file that is copied: the copy is what is named. */
async function written<T>({ copy }: ReadRequest, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw fromSystemError(error, `A private copy of a file could not be written to ${copy}`, { path: copy });
  }
}

async function pause(ms: number, { signal }: ReadRequest): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal });
}

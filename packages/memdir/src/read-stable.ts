import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { errnoOf, fromSystemError } from "@keepsake/core";
import { attributesOf, walkStats, writeAll } from "@keepsake/files";
import { fileContent, keepSmall, MAX_SMALL_BYTES, type StableFile } from "./kept-file.js";
import { partialLineOf } from "./jsonl.js";
import type { ReadRequest } from "./read-request.js";
import { type Unreadable, unreadable } from "./unreadable.js";
import { youngForMs } from "./young.js";

const CHUNK_BYTES = 1024 * 1024;
/** How often a file that changes while it is read is read again. */
const ATTEMPTS = 3;
// Not blocking: what is a FIFO by now would wait for a writer. Not following: what is a link by now is another file.
export const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Reads a file so that its bytes, mode and time are of one moment; again when it changed meanwhile. */
export async function readStable(request: ReadRequest): Promise<StableFile | Unreadable> {
  for (let attempt = 1; ; attempt++) {
    request.signal?.throwIfAborted();
    const result = await attemptRead(request);
    if (result !== "changed") return result;
    if (attempt === ATTEMPTS) {
      await unlink(request.copy).catch(() => undefined);
      return { reason: "changing", code: "E_SOURCE_CHANGED" };
    }
    await pause(5 * attempt, request);
  }
}

async function attemptRead(request: ReadRequest): Promise<StableFile | Unreadable | "changed"> {
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

/** What it means that a file cannot be opened or read. */
export function refusal(error: unknown): Unreadable | "changed" {
  // A link by now, or a socket.
  if (errnoOf(error) === "ELOOP") return "changed";
  if (errnoOf(error) === "ENXIO") return { reason: "special_file" };
  return unreadable(error);
}

async function readOpen(handle: FileHandle, request: ReadRequest): Promise<StableFile | Unreadable | "changed"> {
  const nowMs = Date.now();
  const before = await handle.stat({ bigint: true });
  if (before.isDirectory()) return "changed";
  if (!before.isFile()) return { reason: "special_file" };
  const size = Number(before.size);
  if (size > request.maxFileBytes) return { reason: "too_large", detail: `${String(size)} bytes` };
  if (size <= MAX_SMALL_BYTES) return readSmall(handle, before, nowMs, request);
  const youngMs = youngForMs(before, nowMs);
  if (youngMs > 0) {
    // Small ones are read once more when they are looked at; this one is let grow old enough first.
    await pause(youngMs, request);
    return "changed";
  }
  const content = await copyAside(handle, size, request);
  if (content === undefined || !isSame(before, await handle.stat({ bigint: true }))) return "changed";
  return { ...content, ...attributesOf(before), stats: walkStats(before) };
}

async function readSmall(
  handle: FileHandle,
  before: BigIntStats,
  nowMs: number,
  request: ReadRequest,
): Promise<StableFile | "changed"> {
  const size = Number(before.size);
  // One byte more than there should be shows a file that grew.
  const buffer = Buffer.allocUnsafeSlow(size + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  if (length !== size || !isSame(before, await handle.stat({ bigint: true }))) return "changed";
  return keepSmall(buffer.subarray(0, size), before, nowMs, request);
}

/** True when nothing was written between two looks. */
export function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs;
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
  const cut = await partialLineOf(request, size, async (start, count) => {
    const part = Buffer.allocUnsafe(count);
    const { bytesRead } = await out.read(part, 0, count, start);
    return part.subarray(0, bytesRead);
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

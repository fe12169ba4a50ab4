import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type ByteStream, errnoOf, type JsonObject, streamOf } from "@keepsake/core";
import { type Attributes, attributesOf, type FsPath, writeAll } from "@keepsake/files";
import { CUT_FACT, holdsJsonLines, partialLineBytes } from "./jsonl.js";
import { type Unreadable, unreadable } from "./unreadable.js";

/** A file as it was at one moment. */
export interface StableFile extends Attributes {
  readonly content: { readonly stream: ByteStream } | { readonly file: string };
  readonly facts?: JsonObject;
}

/** What to read, and where a copy may go. */
export interface ReadRequest {
  readonly relative: Buffer;
  readonly absolute: FsPath;
  readonly maxFileBytes: number;
  /** true keeps a line of JSON that had only begun */
  readonly exact?: boolean | undefined;
  /** a path for a private copy; used for what is too large to be held in memory */
  readonly copy: string;
  readonly signal?: AbortSignal | undefined;
}

/** Up to this size a file is read whole into memory, in bytes: the many small notes need no copy on disk. */
const IN_MEMORY_BYTES = 256 * 1024;
const CHUNK_BYTES = 1024 * 1024;
/** How often a file that changes while it is read is read again. */
const ATTEMPTS = 5;
// Not blocking: what is a FIFO by now would wait for a writer. Not following: what is a link by now is another file.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Reads a file so that its bytes, mode and time are of one moment; again when it changed meanwhile. */
export async function readStable(request: ReadRequest): Promise<StableFile | Unreadable> {
  for (let attempt = 1; ; attempt++) {
    request.signal?.throwIfAborted();
    const result = await attemptRead(request);
    if (result !== "changed") return result;
    if (attempt === ATTEMPTS) return { reason: "changing", code: "E_SOURCE_CHANGED" };
    await delay(5 * attempt, undefined, request.signal === undefined ? {} : { signal: request.signal });
  }
}

async function attemptRead(request: ReadRequest): Promise<StableFile | Unreadable | "changed"> {
  let handle: FileHandle;
  try {
    handle = await open(request.absolute, FLAGS);
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

function refusal(error: unknown): Unreadable | "changed" {
  // A link by now, or a socket.
  if (errnoOf(error) === "ELOOP") return "changed";
  if (errnoOf(error) === "ENXIO") return { reason: "special_file" };
  return unreadable(error);
}

async function readOpen(handle: FileHandle, request: ReadRequest): Promise<StableFile | Unreadable | "changed"> {
  const before = await handle.stat({ bigint: true });
  if (before.isDirectory()) return "changed";
  if (!before.isFile()) return { reason: "special_file" };
  const size = Number(before.size);
  if (size > request.maxFileBytes) return { reason: "too_large", detail: `${String(size)} bytes` };
  const read = size <= IN_MEMORY_BYTES ? readWhole : copyAside;
  const got = await read(handle, size, request);
  if (got === undefined || !isSame(before, await handle.stat({ bigint: true }))) return "changed";
  return { ...got, ...attributesOf(before) };
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs;
}

type Content = Pick<StableFile, "content" | "facts">;

async function readWhole(handle: FileHandle, size: number, request: ReadRequest): Promise<Content | undefined> {
  // One byte more than there should be shows a file that grew.
  const buffer = Buffer.allocUnsafe(size + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  if (length !== size) return undefined;
  const cut = await cutOf(request, size, async (start, count) => buffer.subarray(start, start + count));
  return { content: { stream: streamOf(buffer.subarray(0, size - cut)) }, ...cutFacts(cut) };
}

async function copyAside(handle: FileHandle, size: number, request: ReadRequest): Promise<Content | undefined> {
  const out = await open(request.copy, "w+", 0o600);
  try {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let length = 0;
    for (;;) {
      request.signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, length);
      if (bytesRead === 0 || length > size) break;
      await writeAll(out, buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    if (length !== size) return undefined;
    const cut = await cutOf(request, size, async (start, count) => {
      const part = Buffer.allocUnsafe(count);
      const { bytesRead } = await out.read(part, 0, count, start);
      return part.subarray(0, bytesRead);
    });
    if (cut > 0) await out.truncate(size - cut);
    return { content: { file: request.copy }, ...cutFacts(cut) };
  } finally {
    await out.close();
  }
}

async function cutOf(
  request: ReadRequest,
  size: number,
  readAt: Parameters<typeof partialLineBytes>[1],
): Promise<number> {
  return request.exact !== true && holdsJsonLines(request.relative) ? partialLineBytes(size, readAt) : 0;
}

function cutFacts(cut: number): Pick<Content, "facts"> {
  return cut === 0 ? {} : { facts: { [CUT_FACT]: cut } };
}

import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { errnoOf, sha256Hex } from "@keepsake/core";
import type { FsPath } from "@keepsake/files";
import { keepSmall, MAX_SMALL_BYTES, type StableFile } from "./kept-file.js";
import type { ReadRequest } from "./read-request.js";
import { type Unreadable, unreadable } from "./unreadable.js";

// Not blocking: what is a FIFO by now would wait for a writer. Not following: what is a link by now is another file.
export const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** One byte more than a small file has shows one that grew. Used again for each: nothing waits between reading and keeping. */
const buffer = Buffer.allocUnsafeSlow(MAX_SMALL_BYTES + 1);

/** Reads a small file without a turn of the event loop; says of one that is not small, or changes this very moment, just that. */
export function readNow(request: ReadRequest): StableFile | Unreadable | "changed" | "large" {
  const nowMs = Date.now();
  const read = bytesNow(request.absolute, request.maxFileBytes);
  return typeof read === "string" || "reason" in read ? read : keepSmall(read.bytes, read.stats, nowMs, request);
}

/** The digest of a small file as it is now; undefined where there is none. */
export function digestNow(path: FsPath): string | undefined {
  const read = bytesNow(path, MAX_SMALL_BYTES);
  return typeof read === "string" || "reason" in read ? undefined : sha256Hex(read.bytes);
}

/** What it means that a file cannot be opened or read. */
export function refusal(error: unknown): Unreadable | "changed" {
  // A link by now, or a socket.
  if (errnoOf(error) === "ELOOP") return "changed";
  if (errnoOf(error) === "ENXIO") return { reason: "special_file" };
  return unreadable(error);
}

/** True when nothing was written between two looks. */
export function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs;
}

interface Read {
  readonly bytes: Buffer;
  readonly stats: BigIntStats;
}

/** @returns bytes that are good until the next call */
function bytesNow(path: FsPath, maxFileBytes: number): Read | Unreadable | "changed" | "large" {
  let fd: number;
  try {
    fd = openSync(path, OPEN_FLAGS);
  } catch (error) {
    return refusal(error);
  }
  try {
    return readOpen(fd, maxFileBytes);
  } catch (error) {
    return refusal(error);
  } finally {
    closeSync(fd);
  }
}

function readOpen(fd: number, maxFileBytes: number): Read | Unreadable | "changed" | "large" {
  const stats = fstatSync(fd, { bigint: true });
  if (stats.isDirectory()) return "changed";
  if (!stats.isFile()) return { reason: "special_file" };
  const size = Number(stats.size);
  if (size > maxFileBytes) return { reason: "too_large", detail: `${String(size)} bytes` };
  if (size > MAX_SMALL_BYTES) return "large";
  let length = 0;
  for (let got = -1; got !== 0 && length <= size; length += got) {
    got = readSync(fd, buffer, length, size + 1 - length, length);
  }
  const isWhole = length === size && isSame(stats, fstatSync(fd, { bigint: true }));
  return isWhole ? { bytes: buffer.subarray(0, size), stats } : "changed";
}

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { errnoOf, sha256Hex } from "@keepsake/core";
import type { FsPath } from "@keepsake/files";
import { keepSmall, MAX_SMALL_BYTES, type StableFile } from "./kept-file.js";
import type { ReadRequest } from "./read-request.js";
import { isSame, OPEN_FLAGS } from "./read-stable.js";
import { type Unreadable, unreadable } from "./unreadable.js";

/**
 * Reads a small file without a turn of the event loop: writers are waiting.
 *
 * @returns undefined when it is not small, or changes this very moment
 */
export async function readNow(request: ReadRequest): Promise<StableFile | Unreadable | undefined> {
  const nowMs = Date.now();
  const read = bytesNow(request.absolute, Math.min(MAX_SMALL_BYTES, request.maxFileBytes));
  if (read === undefined || "reason" in read) return read;
  return keepSmall(read.bytes, read.stats, nowMs, request);
}

/** The digest of a small file as it is now; undefined where there is none. */
export function digestNow(path: FsPath): string | undefined {
  const read = bytesNow(path, MAX_SMALL_BYTES);
  return read === undefined || "reason" in read ? undefined : sha256Hex(read.bytes);
}

function bytesNow(
  path: FsPath,
  maxBytes: number,
): { readonly bytes: Buffer; readonly stats: ReturnType<typeof statNow> } | Unreadable | undefined {
  let fd: number;
  try {
    fd = openSync(path, OPEN_FLAGS);
  } catch (error) {
    return errnoOf(error) === "ELOOP" || errnoOf(error) === "ENXIO" ? undefined : unreadable(error);
  }
  try {
    const before = statNow(fd);
    const size = Number(before.size);
    if (!before.isFile() || size > maxBytes) return undefined;
    const buffer = Buffer.allocUnsafeSlow(size + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got) {
      got = readSync(fd, buffer, length, buffer.length - length, length);
    }
    return length === size && isSame(before, statNow(fd))
      ? { bytes: buffer.subarray(0, size), stats: before }
      : undefined;
  } catch (error) {
    return unreadable(error);
  } finally {
    closeSync(fd);
  }
}

function statNow(fd: number) {
  return fstatSync(fd, { bigint: true });
}

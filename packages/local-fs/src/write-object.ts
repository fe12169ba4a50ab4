import type { BigIntStats } from "node:fs";
import { lstat, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { abortable, type ByteStream, errnoOf } from "@keepsake/core";
import { fsyncDirectory, publishFile, writeNewFile } from "@keepsake/files/basics";
import { isSameFile } from "./object-paths.js";
import { partialPathIn } from "./partial-file.js";

/**
 * Writes `body` to a hidden file beside `target` and gives it that name once it is whole and on the disk.
 *
 * @param how "new" fails with `EEXIST` when there is such a name; "replace" takes its place
 * @returns the facts of the file
 * @throws the system error, what the body throws, or the signal's reason. Nothing is left then: neither the hidden file nor,
 *   for a new object, the name
 */
export async function writeObject(
  target: string,
  body: ByteStream,
  how: "new" | "replace",
  signal?: AbortSignal,
): Promise<BigIntStats> {
  const partial = partialPathIn(dirname(target));
  await writeNewFile(partial, abortable(body, signal), { signal });
  let written: BigIntStats | undefined;
  try {
    written = await lstat(partial, { bigint: true });
    signal?.throwIfAborted();
    if (how === "new") await publishFile(partial, target);
    else await renameOver(partial, target);
  } catch (error) {
    await removeQuietly(partial);
    if (how === "new" && written !== undefined) await withdraw(target, written);
    throw error;
  }
  return written;
}

async function renameOver(partial: string, target: string): Promise<void> {
  await rename(partial, target);
  await fsyncDirectory(dirname(target));
}

/** Takes the name away again if it was given to this very file; somebody else's stays. */
async function withdraw(target: string, written: BigIntStats): Promise<void> {
  try {
    if (!isSameFile(await lstat(target, { bigint: true }), written)) return;
    await unlink(target);
    await fsyncDirectory(dirname(target));
  } catch {
    // The failure that led here is the one to report.
  }
}

async function removeQuietly(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    // What stays is removed by a sweep, once this process has ended.
    if (errnoOf(error) === undefined) throw error;
  }
}

import { chmodSync, lchownSync, renameSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { BundleEntry } from "@keepsake/core";
import { errnoOf } from "@keepsake/core/basics";
import { setTimeSync } from "./attributes.js";
import { type NewFile, writeNewFile, writeNewFileNow } from "./durable.js";
import type { FsPath } from "./fs-path.js";
import { readChunks } from "./read-chunks.js";

/** The bytes of a bundle's file, for who needs them all at once; undefined for what has none. @throws the system error */
export async function bytesOfEntry(entry: BundleEntry): Promise<Buffer | undefined> {
  if (entry.bytes !== undefined) return entry.bytes();
  return entry.file === undefined ? undefined : await readFile(entry.file);
}

/** What is to be done with a file of a bundle. */
export interface PlaceOptions extends NewFile {
  readonly mode: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the new file `target` of the bytes of a bundle's file: written at once where they are few, else the unpacked file itself,
 * or a copy where it lies on another file system. It waits only to copy. That the bytes are on the disk is for the caller to see to.
 *
 * @returns false for what has no bytes
 * @throws the system error
 */
export async function placeEntry(entry: BundleEntry, target: FsPath, options: PlaceOptions): Promise<boolean> {
  const bytes = entry.bytes?.();
  if (bytes !== undefined) {
    writeNewFileNow(target, bytes, options);
    return true;
  }
  const { file } = entry;
  if (file === undefined) return false;
  await moveFile(file, target, options.signal);
  const { mode, mtimeMs, owner } = options;
  if (owner !== undefined) lchownSync(target, owner.uid, owner.gid);
  // After the change of owner, which clears setuid; always, because a source may have changed the mode of its private file.
  chmodSync(target, mode);
  if (mtimeMs !== undefined) setTimeSync(target, mtimeMs);
  return true;
}

async function moveFile(file: string, target: FsPath, signal: AbortSignal | undefined): Promise<void> {
  try {
    renameSync(file, target);
  } catch (error) {
    if (errnoOf(error) !== "EXDEV") throw error;
    await writeNewFile(target, readChunks(file), { sync: false, signal });
  }
}

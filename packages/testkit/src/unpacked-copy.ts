import { readFileSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import type { BundleEntry } from "@keepsake/core";

/** Of no more bytes the engine keeps a file of a bundle without a file of its own. */
const SMALL_FILE_BYTES = 64 * 1024;

/**
 * A copy of an artifact as the engine hands it to a restore: a large file as a private file, a small one as bytes, which become the
 * file when it is asked for. What is done with it leaves `entry` as it was.
 *
 * @param file where the copy is to be; nothing is there
 */
export async function unpackedCopy(entry: BundleEntry, file: string): Promise<BundleEntry> {
  const { meta, path, file: from } = entry;
  if (from === undefined) return entry;
  if (meta.sizeBytes > SMALL_FILE_BYTES) {
    await copyFile(from, file);
    return { meta, path, file };
  }
  let isMade = false;
  return {
    meta,
    path,
    bytes: () => readFileSync(from),
    get file() {
      if (!isMade) writeFileSync(file, readFileSync(from), { flag: "wx", mode: 0o600 });
      isMade = true;
      return file;
    },
  };
}

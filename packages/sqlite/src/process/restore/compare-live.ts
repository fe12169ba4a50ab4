import { closeSync, lstatSync, openSync, readSync, statSync } from "node:fs";
import { type Attributes, attributesOf } from "@keepsake/files";
import { isFilledJournal } from "../header.js";

const CHUNK_BYTES = 1 << 20;

/** Mode and time of a live regular file, or undefined when there is none. */
export function liveAttributes(file: string): Attributes | undefined {
  const stats = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return stats?.isFile() === true ? attributesOf(stats) : undefined;
}

/** Mode and time of a live folder that is no link, or undefined when there is none. */
export function folderAttributes(folder: string): Attributes | undefined {
  const stats = lstatSync(folder, { bigint: true, throwIfNoEntry: false });
  return stats?.isDirectory() === true ? attributesOf(stats) : undefined;
}

/**
 * True when the live file is the staged one byte for byte, and nothing beside it adds to it. The header's change counter
 * and the version of the last writer are no content: the copy's are those of the copy (fileformat2, sections 1.3.9 to 14).
 */
export function sameContent(live: string, staged: string): boolean {
  if (hasMoreBeside(live) || statSync(live).size !== statSync(staged).size) return false;
  const one = openSync(live, "r");
  const other = openSync(staged, "r");
  try {
    const [a, b] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
    for (let first = true; ; first = false) {
      const length = readSync(one, a, 0, CHUNK_BYTES, null);
      if (readSync(other, b, 0, CHUNK_BYTES, null) !== length) return false;
      if (length === 0) return true;
      if (first) for (const bytes of [a, b]) clearCounters(bytes);
      if (!a.subarray(0, length).equals(b.subarray(0, length))) return false;
    }
  } finally {
    closeSync(one);
    closeSync(other);
  }
}

function clearCounters(header: Buffer): void {
  header.fill(0, 24, 28);
  header.fill(0, 92, 100);
}

function hasMoreBeside(live: string): boolean {
  if ((statSync(`${live}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return true;
  return isFilledJournal(`${live}-journal`);
}

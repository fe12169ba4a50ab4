import { closeSync, lstatSync, openSync, readSync, statSync } from "node:fs";
import type { Attributes } from "@keepsake/files";
import { SIDECARS } from "../sidecars.js";

const CHUNK_BYTES = 1 << 20;

/** Mode and time of a live regular file, or undefined when there is none. */
export function attributesOf(file: string): Attributes | undefined {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true ? { mode: stats.mode & 0o7777, mtimeMs: stats.mtimeMs } : undefined;
}

/** Node sets times through a float of seconds: what comes back may be a few microseconds less. */
export function sameAttributes(one: Attributes, other: Attributes): boolean {
  return one.mode === other.mode && Math.abs(one.mtimeMs - other.mtimeMs) < 0.01;
}

/** True when the live file is the staged one byte for byte, and no log beside it adds anything. */
export function sameContent(live: string, staged: string): boolean {
  const hasLog = SIDECARS.some((suffix) => (statSync(`${live}${suffix}`, { throwIfNoEntry: false })?.size ?? 0) > 0);
  if (hasLog || statSync(live).size !== statSync(staged).size) return false;
  const one = openSync(live, "r");
  const other = openSync(staged, "r");
  try {
    const [a, b] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
    for (;;) {
      const length = readSync(one, a, 0, CHUNK_BYTES, null);
      if (readSync(other, b, 0, CHUNK_BYTES, null) !== length) return false;
      if (length === 0) return true;
      if (!a.subarray(0, length).equals(b.subarray(0, length))) return false;
    }
  } finally {
    closeSync(one);
    closeSync(other);
  }
}

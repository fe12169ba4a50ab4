import { linkSync } from "node:fs";
import { type BundleEntry, errnoOf } from "@keepsake/core";
import { type Attributes, attributesOf, beginsWith, type FsPath, lookAtNow, type Owner } from "@keepsake/files";

/** A microsecond, and what a float is off by: bundles may hold fractions of one, which cannot be set. */
const TIME_STEP_MS = 0.0015;

/** What a file is to be. */
export interface WantedFile extends Attributes {
  /** undefined: the process's user */
  readonly owner: Owner | undefined;
}

/**
 * Makes `target` another name of a live file that holds the bytes of a bundle's file and is already what it is to be. Only for files
 * that nobody writes to once they are there, as git's objects are: what was set aside shares them with what comes.
 *
 * @returns false when it was not done
 */
export function linkIfSame(entry: BundleEntry, live: FsPath, target: FsPath, wanted: WantedFile): boolean {
  const bytes = entry.bytes?.();
  if (bytes === undefined) return false;
  const stats = lookAtNow(live);
  if (stats?.isFile() !== true || Number(stats.size) !== bytes.length) return false;
  const now = attributesOf(stats);
  if (now.mode !== wanted.mode || Math.abs(now.mtimeMs - wanted.mtimeMs) > TIME_STEP_MS) return false;
  const { uid = process.geteuid?.(), gid = Number(stats.gid) } = wanted.owner ?? {};
  if (Number(stats.uid) !== uid || Number(stats.gid) !== gid) return false;
  return beginsWith(live, bytes) && isLinked(live, target);
}

/** No hard links here, too many already, not of this file, or not over to the other file system. */
const REFUSED = new Set(["EPERM", "EACCES", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EXDEV", "ENOENT"]);

function isLinked(live: FsPath, target: FsPath): boolean {
  try {
    linkSync(live, target);
    return true;
  } catch (error) {
    if (REFUSED.has(errnoOf(error) ?? "")) return false;
    throw error;
  }
}

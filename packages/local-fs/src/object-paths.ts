import type { BigIntStats } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, KeepsakeError, parseArtifactPath, type StoredObject } from "@keepsake/core";
import { PARTIAL_PREFIX } from "./partial-file.js";

/**
 * Where the object `key` lies below `root`.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH` when the key would lead elsewhere, or is a name kept for unfinished files
 */
export function objectPath(root: string, key: string): string {
  const path = parseArtifactPath(key);
  if (path.split("/").some((segment) => segment.startsWith(PARTIAL_PREFIX))) {
    throw new KeepsakeError("E_UNSAFE_PATH", `No object may be called ${JSON.stringify(key)}.`, {
      context: { path: key },
    });
  }
  return join(root, path);
}

/** Errors that say that there is no such object: a part of its path is missing, is a file, or could not exist. */
const MISSING = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"]);

/** True for a system error that means "there is no such object". */
export function meansMissing(error: unknown): boolean {
  return MISSING.has(errnoOf(error) ?? "");
}

/**
 * The facts of the regular file at `path`, or undefined. A symbolic link below the root is no object, nor is what lies
 * behind one: it may lead out of the store.
 *
 * @throws the system error
 */
export async function statObject(root: string, path: string): Promise<BigIntStats | undefined> {
  try {
    const stats = await lstat(path, { bigint: true });
    if (!stats.isFile()) return undefined;
    return (await isReached(root, path)) ? stats : undefined;
  } catch (error) {
    if (meansMissing(error)) return undefined;
    throw error;
  }
}

/** What a file's facts say of the object in it. Times are whole milliseconds, so that they compare. */
export function objectOf(key: string, stats: BigIntStats): StoredObject {
  return { key, sizeBytes: Number(stats.size), modifiedAtMs: Number(stats.mtimeMs) };
}

/** True when no symbolic link lies between the root (which may be one) and `path`. */
export async function isReached(root: string, path: string): Promise<boolean> {
  const reached = await realpath(path);
  // Mostly there is no link at all, not even above the root.
  return reached === path || reached === `${await realpath(root)}${path.slice(root.length)}`;
}

/** True when both are one file. */
export function isSameFile(a: BigIntStats, b: BigIntStats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

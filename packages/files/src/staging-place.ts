import { access, constants, mkdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "@keepsake/core";

/** Names beginning with this are Keepsake's own, beside or inside live data; no source captures them. */
export const OWN_PREFIX = ".keepsake-";

async function deviceOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).dev;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function isWritable(dir: string): Promise<boolean> {
  try {
    await access(dir, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Where files for `dir` can be staged so that renames into it are atomic: beside it, or inside it where it is a mount
 * point or its parent is not writable. Creates nothing.
 *
 * @returns an absolute path, named after `operationId`, that is not in use by another operation
 */
export async function stagingPlaceFor(dir: string, operationId: string): Promise<string> {
  const parent = dirname(dir);
  const own = await deviceOf(dir);
  const beside = join(parent, `${OWN_PREFIX}${operationId}-${basename(dir)}`);
  if (own === undefined) return beside;
  const sameFileSystem = own === (await deviceOf(parent));
  if (sameFileSystem && (await isWritable(parent))) return beside;
  return join(dir, `${OWN_PREFIX}${operationId}`);
}

/** Makes the directory that {@link stagingPlaceFor} found; one that is there already is used. */
export async function makeStagingPlace(place: string): Promise<void> {
  await mkdir(place, { recursive: true, mode: 0o700 });
}

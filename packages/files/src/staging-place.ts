import { createHash } from "node:crypto";
import { access, constants, lstat, mkdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "@keepsake/core/basics";
import { OWN_PREFIX } from "./own-names.js";

async function deviceOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).dev;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
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

/** A bind mount has its parent's device number, yet no rename crosses it. Known where Linux tells; false elsewhere. */
async function isMountPoint(dir: string): Promise<boolean> {
  let table: string;
  try {
    table = await readFile("/proc/self/mountinfo", "utf8");
  } catch {
    return false;
  }
  const unescaped = (field: string): string =>
    field.replace(/\\([0-7]{3})/g, (_match, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  const wanted = Buffer.from(dir).toString("latin1");
  return table
    .split("\n")
    .some((line) => unescaped(Buffer.from(line.split(" ")[4] ?? "").toString("latin1")) === wanted);
}

/** The nearest folder above `dir` that exists. */
async function existingAncestor(dir: string): Promise<string> {
  let at = dirname(dir);
  while ((await deviceOf(at)) === undefined && dirname(at) !== at) at = dirname(at);
  return at;
}

/** Names are at most 255 bytes on nearly every file system. */
function placeName(dir: string, operationId: string): string {
  const name = basename(dir);
  const short = Buffer.byteLength(name) <= 100 ? name : createHash("sha256").update(name).digest("hex").slice(0, 32);
  return `${OWN_PREFIX}${operationId}-${short}`;
}

/**
 * Where files for `dir` can be staged so that renames into it are atomic: beside it, or inside it where it is a mount
 * point or its parent is not writable; where `dir` does not exist yet, in the nearest folder above that does. Creates
 * nothing.
 *
 * @param dir absolute path without symbolic links
 * @returns an absolute path, named after `operationId`, that is not in use by another operation
 */
export async function stagingPlaceFor(dir: string, operationId: string): Promise<string> {
  const name = placeName(dir, operationId);
  const own = await deviceOf(dir);
  if (own === undefined) return join(await existingAncestor(dir), name);
  const parent = dirname(dir);
  const renamable = own === (await deviceOf(parent)) && !(await isMountPoint(dir));
  if (renamable && parent !== dir && (await isWritable(parent))) return join(parent, name);
  return join(dir, `${OWN_PREFIX}${operationId}`);
}

/** Makes the directory that {@link stagingPlaceFor} found; one that is there already is used. */
export async function makeStagingPlace(place: string): Promise<void> {
  // Not recursive: its folder is there, and on a file system that is read-only Node then says that it is not.
  try {
    await mkdir(place, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST" || !(await lstat(place)).isDirectory()) throw error;
  }
}

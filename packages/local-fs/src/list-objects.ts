import { isUtf8 } from "node:buffer";
import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isArtifactPath, type StoredObject } from "@keepsake/core";
import { PARTIAL_PREFIX } from "./partial-file.js";
import { isReached, meansMissing, objectOf, objectPath } from "./object-paths.js";

/** So many files are looked at together: each look mostly waits for its turn. */
const AT_ONCE = 32;

/**
 * Every object below `root` whose key begins with `prefix`, by ascending key in UTF-8 byte order. Holds the names of one
 * folder per level; reads a folder when it is its turn.
 *
 * @throws the system error, also for a folder that cannot be read: what it holds would be left out silently
 */
export async function* listObjects(root: string, prefix: string, signal?: AbortSignal): AsyncGenerator<StoredObject> {
  const cut = prefix.lastIndexOf("/");
  const folderKey = prefix.slice(0, Math.max(cut, 0));
  const folder = folderKey === "" ? root : objectPath(root, folderKey);
  try {
    if (!(await isReached(root, folder))) return;
  } catch (error) {
    if (meansMissing(error)) return;
    throw error;
  }
  yield* listFolder(folder, cut < 0 ? "" : `${folderKey}/`, Buffer.from(prefix.slice(cut + 1)), signal);
}

interface Child {
  readonly name: string;
  /** what the keys of this child begin with, after the folder's: a folder's name ends with `/` */
  readonly sortKey: Buffer;
  readonly isFolder: boolean;
}

async function* listFolder(
  folder: string,
  keyPrefix: string,
  namePrefix: Buffer,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredObject> {
  const children = await childrenOf(folder, keyPrefix, namePrefix);
  for (let at = 0; at < children.length; at += AT_ONCE) {
    const some = children.slice(at, at + AT_ONCE);
    const files = await Promise.all(
      some.map(async ({ name, isFolder }) => (isFolder ? undefined : inspect(join(folder, name), keyPrefix + name))),
    );
    for (const [index, { name, isFolder }] of some.entries()) {
      signal?.throwIfAborted();
      const object = files[index];
      if (isFolder) yield* listFolder(join(folder, name), `${keyPrefix}${name}/`, Buffer.alloc(0), signal);
      else if (object !== undefined) yield object;
    }
  }
}

/** Sorted so that walking them gives ascending keys: "a-b" comes before "a/b", and so before the folder "a". */
async function childrenOf(folder: string, keyPrefix: string, namePrefix: Buffer): Promise<Child[]> {
  let entries: Dirent<Buffer>[];
  try {
    entries = await readdir(folder, { withFileTypes: true, encoding: "buffer" });
  } catch (error) {
    if (meansMissing(error)) return [];
    throw error;
  }
  const children: Child[] = [];
  for (const entry of entries) {
    if (!beginsWith(entry.name, namePrefix) || !isUtf8(entry.name)) continue;
    const name = entry.name.toString("utf8");
    if (name.startsWith(PARTIAL_PREFIX) || !isArtifactPath(keyPrefix + name)) continue;
    const kind = await kindOf(entry, join(folder, name));
    if (kind === "other") continue;
    const isFolder = kind === "folder";
    children.push({ name, isFolder, sortKey: Buffer.from(isFolder ? `${name}/` : name) });
  }
  return children.sort((a, b) => a.sortKey.compare(b.sortKey));
}

function beginsWith(name: Buffer, prefix: Buffer): boolean {
  return name.subarray(0, prefix.length).equals(prefix);
}

async function kindOf(entry: Dirent<Buffer>, path: string): Promise<"file" | "folder" | "other"> {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  if (entry.isSymbolicLink() || entry.isFIFO() || entry.isSocket()) return "other";
  // Some file systems do not say what an entry is.
  try {
    const stats = await lstat(path);
    return stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other";
  } catch (error) {
    if (meansMissing(error)) return "other";
    throw error;
  }
}

async function inspect(path: string, key: string): Promise<StoredObject | undefined> {
  try {
    const stats = await lstat(path, { bigint: true });
    return stats.isFile() ? objectOf(key, stats) : undefined;
  } catch (error) {
    if (meansMissing(error)) return undefined;
    throw error;
  }
}

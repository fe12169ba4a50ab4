import { lstatSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import type { Owner, SwapStep } from "@keepsake/files";

/** Of folders that only databases are in; those that hold memory files get their own mode with them. */
const FOLDER_MODE = 0o755;

/**
 * The steps that make the folders on the way to a file, where they are missing. What is in their place and is no folder is
 * set aside, a link too: a database is never written through a link into another place.
 *
 * @param root absolute path; it and what is above it may be links, which the user made
 * @param known folders that steps were made for before; grows
 * @param undo a new name for what is set aside
 */
export function* foldersTo(root: string, name: string, known: Set<string>, undo: () => string): Generator<SwapStep> {
  for (const folder of foldersBetween(root, name)) {
    if (known.has(folder)) continue;
    // Below a folder to be made there is nothing yet, whatever a link in its place leads to now.
    const stats = known.has(dirname(folder)) ? undefined : lookAt(folder);
    if (stats?.isDirectory() === true || (stats !== undefined && folder === root)) continue;
    known.add(folder);
    if (stats !== undefined) yield { do: "remove", live: folder, undo: undo() };
    const owner = ownerFor(folder);
    yield { do: "make_dir", live: folder, mode: FOLDER_MODE, ...(owner === undefined ? {} : { owner }) };
  }
}

/** True when every folder between the root and a file is one: what is there is then the file itself, not one behind a link. */
export function isReachable(root: string, name: string): boolean {
  return foldersBetween(root, name).every((folder) => folder === root || lookAt(folder)?.isDirectory() === true);
}

/**
 * As root, what is restored gets the owner of the file it replaces, or of the folder it comes into: the agent must be able
 * to write it. For anyone else it is their own in any case.
 */
export function ownerFor(file: string): Owner | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const there = lookAt(file);
  if (there?.isFile() === true) return { uid: there.uid, gid: there.gid };
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const stats = lookAt(folder);
    if (stats?.isDirectory() === true) return { uid: stats.uid, gid: stats.gid };
    if (dirname(folder) === folder) return undefined;
  }
}

/** The root, and each folder below it on the way to a file. */
function foldersBetween(root: string, name: string): string[] {
  const segments = dirname(name)
    .split("/")
    .filter((segment) => segment !== ".");
  return [...Array(segments.length + 1).keys()].map((depth) => join(root, ...segments.slice(0, depth)));
}

/** Nothing is where a file takes the place of a folder above it. */
function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return undefined;
    throw error;
  }
}

import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** Absolute paths of the files, or of the folders, below a folder; none where it is not there yet. */
export async function entriesBelow(folder: string, what: "files" | "folders"): Promise<readonly string[]> {
  let entries: readonly Dirent[];
  try {
    entries = await readdir(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isDirectory() === (what === "folders"))
    .map((entry) => join(entry.parentPath, entry.name));
}

import { lstatSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/**
 * The folders between a root and these files where another file system begins; the innermost first. A link is never
 * followed: what it leads to is no part of the memory.
 */
export function mountsBetween(root: string, files: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const below of new Set(files.map((file) => relative(root, dirname(file))))) {
    let folder = root;
    let device = deviceOf(root);
    for (const name of below.split("/").filter((part) => part !== "")) {
      folder = join(folder, name);
      const own = deviceOf(folder);
      if (own === undefined) break;
      if (device !== undefined && own !== device) folders.add(folder);
      device = own;
    }
  }
  return [...folders].sort((a, b) => b.length - a.length);
}

/** Undefined for what is no folder, or not there. */
function deviceOf(folder: string): bigint | undefined {
  const stats = lstatSync(folder, { bigint: true, throwIfNoEntry: false });
  return stats?.isDirectory() === true ? stats.dev : undefined;
}

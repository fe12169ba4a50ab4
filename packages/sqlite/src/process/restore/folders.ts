import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SwapStep } from "@keepsake/files";

/**
 * The steps that make the folders on the way to a file, where they are missing. What is in their place and is no folder is
 * set aside, a link too: a database is never written through a link into another place.
 *
 * @param root absolute path; it and what is above it may be links, which the user made
 * @param known folders that steps were made for before; grows
 */
export function* foldersTo(root: string, name: string, known: Set<string>, undo: () => string): Generator<SwapStep> {
  if (!known.has(root) && lstatSync(root, { throwIfNoEntry: false }) === undefined) {
    known.add(root);
    yield { do: "make_dir", live: root, mode: FOLDER_MODE };
  }
  const folders = dirname(name)
    .split("/")
    .filter((segment) => segment !== ".");
  for (const [index] of folders.entries()) {
    const folder = join(root, ...folders.slice(0, index + 1));
    if (known.has(folder)) continue;
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) continue;
    known.add(folder);
    if (stats !== undefined) yield { do: "remove", live: folder, undo: undo() };
    yield { do: "make_dir", live: folder, mode: FOLDER_MODE };
  }
}

/** Of folders that only databases are in; those that hold memory files get their own mode with them. */
const FOLDER_MODE = 0o755;

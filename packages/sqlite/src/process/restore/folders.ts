import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import { KeepsakeError } from "@keepsake/core";
import type { SwapStep } from "@keepsake/files";

/** Of folders that only databases are in; those that hold memory files get their own mode with them. */
const FOLDER_MODE = 0o755;

/**
 * The steps that make the folders on the way to a file, where they are missing.
 *
 * @param root absolute path; it and what is above it may be links, which the user made
 * @param known folders that steps were made for before; grows
 * @throws KeepsakeError `E_UNSAFE_PATH` when something else is in a folder's place: through a link, a database would be
 *   written into another place, and to put a folder there is for whoever looks after what is there
 */
export function* foldersTo(root: string, name: string, known: Set<string>): Generator<SwapStep> {
  const segments = dirname(name)
    .split("/")
    .filter((segment) => segment !== ".");
  for (let depth = 0; depth <= segments.length; depth++) {
    const folder = join(root, ...segments.slice(0, depth));
    if (known.has(folder)) continue;
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true || (stats !== undefined && depth === 0)) continue;
    if (stats !== undefined) throw inTheWay(folder);
    known.add(folder);
    yield { do: "make_dir", live: folder, mode: FOLDER_MODE };
  }
}

function inTheWay(folder: string): KeepsakeError {
  return new KeepsakeError("E_UNSAFE_PATH", `There is no folder at ${folder}, but something else, or a link.`, {
    context: { path: folder },
    hint: "Move it away, then restore again.",
  });
}

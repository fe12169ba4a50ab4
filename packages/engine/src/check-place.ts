import { realpath } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { errnoOf, KeepsakeError } from "@keepsake/core";

/**
 * Refuses a state root inside a memory directory: every snapshot would change what it captures, and a restore would remove
 * its own journal and the snapshot that undoes it.
 *
 * @throws KeepsakeError `E_CONFIG`
 */
export async function checkPlace(memory: string, stateRoot: string): Promise<void> {
  const inside = relative(await realPlace(memory), await realPlace(stateRoot));
  if (inside === ".." || inside.startsWith(`..${sep}`) || resolve(inside) === inside) return;
  throw new KeepsakeError("E_CONFIG", `The state root ${stateRoot} lies in the memory directory ${memory}.`, {
    context: { state_root: stateRoot, memory },
    hint: "Choose a place outside of it: --root, $KEEPSAKE_ROOT, or state_root in the configuration.",
  });
}

/** The path without links, as far as it exists. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errnoOf(error) === undefined || dirname(path) === path) return path;
    return join(await realPlace(dirname(path)), path.slice(dirname(path).length));
  }
}

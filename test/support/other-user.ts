import { chown, readdir } from "node:fs/promises";
import { join } from "node:path";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** Put before a command, so that permissions bind it: root is bound by none. Empty where this process is bound anyway. */
export const AS_OTHER: readonly string[] = isRoot
  ? ["setpriv", `--reuid=${String(NOBODY)}`, `--regid=${String(NOBODY)}`, "--clear-groups"]
  : [];

/** Gives a whole tree to that user. */
export async function giveAway(dir: string): Promise<void> {
  if (!isRoot) return;
  await chown(dir, NOBODY, NOBODY);
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), NOBODY, NOBODY);
  }
}

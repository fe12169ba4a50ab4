import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { errnoOf, fromSystemError, KeepsakeError, type PathClaim } from "@keepsake/core";

/** Where the files are. */
export interface MemoryRoot {
  /** absolute, without symbolic links */
  readonly path: string;
  readonly exists: boolean;
}

/**
 * The directory that `root` names below `memory`, through any symbolic link in front of it.
 *
 * @throws KeepsakeError `E_CONFIG` when something else than a directory is there; `E_PERMISSION`, `E_IO`
 */
export async function findRoot(memory: string, root: string): Promise<MemoryRoot> {
  const wanted = resolve(memory, root);
  try {
    const path = await realpath(wanted);
    if ((await stat(path)).isDirectory()) return { path, exists: true };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return { path: await realParent(wanted), exists: false };
    if (errnoOf(error) !== "ENOTDIR")
      throw fromSystemError(error, `The folder ${wanted} cannot be looked at`, { path: wanted });
  }
  throw new KeepsakeError("E_CONFIG", `${wanted} is no folder.`, { context: { path: wanted } });
}

/** `path` with the links of those folders resolved that exist. */
async function realParent(path: string): Promise<string> {
  const parent = dirname(path);
  if (parent === path) return path;
  try {
    return join(await realpath(parent), basename(path));
  } catch {
    return join(await realParent(parent), basename(path));
  }
}

/** Claims as the walk sees paths: others may name them through the link that the memory directory is. */
export async function realClaims(claims: readonly PathClaim[], memory: string): Promise<readonly PathClaim[]> {
  const real = await realpath(memory).catch(() => memory);
  const lexical = resolve(memory);
  if (real === lexical) return claims;
  return claims.flatMap((claim) => {
    const below = claim.path === lexical || claim.path.startsWith(`${lexical}/`);
    return below ? [claim, { ...claim, path: real + claim.path.slice(lexical.length) }] : [claim];
  });
}

import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { OWN_PREFIX } from "@keepsake/files";
import { locateRepository, type RepositoryPlace } from "./locate.js";

const DEEPEST = 64;

/**
 * The repository of `root`, and those of the folders below it, outermost first. A `.git` file that leads into a git
 * directory found before (an absorbed submodule, a worktree of the same repository) is no repository of its own: it is
 * part of that one, and the file is an ordinary file. Symbolic links are not followed.
 */
export async function discoverRepositories(
  root: string,
  options: { readonly nested: boolean; readonly signal?: AbortSignal | undefined },
): Promise<readonly RepositoryPlace[]> {
  const found: RepositoryPlace[] = [];
  const top = await locateRepository(root, "");
  if (top !== undefined) found.push(top);
  if (options.nested && top?.layout !== "bare") await search(root, "", 0, found, options.signal);
  return await withoutInner(found);
}

async function search(
  path: string,
  folder: string,
  depth: number,
  found: RepositoryPlace[],
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  if (depth >= DEEPEST) return;
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory() || entry.name === ".git" || entry.name.startsWith(OWN_PREFIX)) continue;
    const below = join(path, entry.name);
    const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
    const place = await locateRepository(below, name);
    if (place !== undefined) found.push(place);
    if (place?.layout !== "bare") await search(below, name, depth + 1, found, signal);
  }
}

async function withoutInner(places: readonly RepositoryPlace[]): Promise<readonly RepositoryPlace[]> {
  const owned: string[] = [];
  for (const place of places) {
    if (place.layout === "directory") owned.push(`${await realpath(place.gitDir)}/`);
  }
  const kept: RepositoryPlace[] = [];
  for (const place of places) {
    const real = await realpath(place.gitDir);
    const inner = place.layout === "linked" && owned.some((dir) => real.startsWith(dir));
    if (!inner) kept.push(place);
  }
  return kept;
}

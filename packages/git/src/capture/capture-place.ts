import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isGitDir, type RepositoryPlace } from "../repository/locate.js";

/** A repository to capture, and where its files go in the bundle. */
export interface CapturePlace extends RepositoryPlace {
  /** "" or ends with a slash */
  readonly prefix: string;
  /** true for the git directory of a submodule, which lies inside its superproject's */
  readonly inner: boolean;
}

/**
 * A repository's place, and those of the submodules whose git directories lie inside its own (`modules/<name>`). A linked
 * worktree's submodules belong to itself, not to the main repository.
 */
export async function withModules(place: CapturePlace): Promise<readonly CapturePlace[]> {
  const places = [place];
  await collect(join(place.gitDir, "modules"), `${place.prefix}modules/`, place, places);
  return places;
}

async function collect(dir: string, prefix: string, outer: CapturePlace, into: CapturePlace[]): Promise<void> {
  const names = await readdir(dir).catch(() => []);
  for (const name of names.sort()) {
    const gitDir = join(dir, name);
    const below = `${prefix}${name}/`;
    const stats = await stat(gitDir).catch(() => undefined);
    if (stats?.isDirectory() !== true) continue;
    if (await isGitDir(gitDir)) {
      const inner = { ...outer, at: gitDir, gitDir, commonDir: gitDir, prefix: below, inner: true } as const;
      into.push(...(await withModules(inner)));
    } else {
      // The name of a submodule may hold slashes.
      await collect(gitDir, below, outer, into);
    }
  }
}

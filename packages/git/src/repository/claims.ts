import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactMeta, PathClaim } from "@keepsake/core";
import { NESTED, splitBundlePath } from "./bundle-layout.js";
import type { RepositoryPlace } from "./locate.js";

/** What stands at the top of a git directory (see gitrepository-layout(5)); used where it is the memory itself. */
export const GIT_NAMES: ReadonlySet<string> = new Set([
  ...["HEAD", "objects", "refs", "packed-refs", "config", "config.worktree", "description", "hooks", "info", "logs"],
  ...["index", "shallow", "branches", "remotes", "worktrees", "modules", "lfs", "annex", "COMMIT_EDITMSG", "gc.log"],
  ...["rebase-merge", "rebase-apply", "sequencer", "MERGE_MSG", "MERGE_MODE", "MERGE_RR", "SQUASH_MSG", "AUTO_MERGE"],
  ...["rr-cache", "reftable", "gc.pid"],
]);

/** True for the name of a git directory's own entry. */
export function isGitName(name: string): boolean {
  if (name === NESTED) return false;
  return GIT_NAMES.has(name) || /^[A-Z_]+_HEAD$/.test(name) || /^sharedindex\.|\.lock$/.test(name);
}

/**
 * The places that these repositories take up. A bare repository that is the root itself claims git's own names in it
 * alone: other files may lie beside them.
 */
export async function claimsOf(places: readonly RepositoryPlace[]): Promise<readonly PathClaim[]> {
  const claims: PathClaim[] = [];
  for (const place of places) {
    if (place.layout === "linked") claims.push({ path: place.at, scope: "path" });
    else if (place.layout === "directory" || place.folder !== "") claims.push({ path: place.at, scope: "tree" });
    else {
      const names = await readdir(place.at);
      for (const name of names.filter(isGitName)) claims.push({ path: join(place.at, name), scope: "tree" });
    }
  }
  return claims;
}

/** The places that the repositories of a bundle will take up. Paths that a restore refuses anyway are passed over. */
export function claimsOfBundle(
  sourceId: string,
  root: string,
  artifacts: readonly Pick<ArtifactMeta, "pathInBundle" | "facts">[],
): readonly PathClaim[] {
  const paths = new Set<string>();
  for (const { pathInBundle, facts } of artifacts) {
    const split = splitBundlePath(pathInBundle.slice(sourceId.length + 1));
    if (split?.inner !== "HEAD") continue;
    const folder = join(root, split.folder);
    if (facts?.["layout"] !== "bare") paths.add(join(folder, ".git"));
    else if (split.folder !== "") paths.add(folder);
    else for (const name of GIT_NAMES) paths.add(join(folder, name));
  }
  return [...paths].map((path) => ({ path, scope: "tree" }));
}

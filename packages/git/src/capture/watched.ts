import { join } from "node:path";
import type { WatchedPlace } from "@keepsake/core";
import type { RepositoryPlace } from "../repository/locate.js";
import { alternatesOf } from "../repository/scan-objects.js";
import { withModules } from "./capture-place.js";

/** Where repositories are looked for, and all that those that were found consist of: links may lead out of that. */
export async function watchedPlaces(
  root: string,
  repositories: readonly RepositoryPlace[],
): Promise<readonly WatchedPlace[]> {
  const folders = new Set([root]);
  for (const repository of repositories) {
    folders.add(repository.at);
    for (const { gitDir, commonDir } of await withModules({ ...repository, prefix: "", inner: false })) {
      const objects = join(commonDir, "objects");
      for (const folder of [gitDir, commonDir, objects, ...(await alternatesOf(objects))]) folders.add(folder);
    }
  }
  return [...folders].map((path) => ({ path, scope: "tree" }));
}

import type { ArtifactMeta } from "@keepsake/core";

/** An artifact whose bytes lie in a private staging directory; links and folders have no file. */
export interface StagedArtifactFile {
  readonly meta: ArtifactMeta;
  readonly file?: string;
}

/** Orders artifacts as they stand in manifest and archive: by path, in code unit order, so a folder before its content. */
export function byPath(a: StagedArtifactFile, b: StagedArtifactFile): number {
  if (a.meta.pathInBundle === b.meta.pathInBundle) return 0;
  return a.meta.pathInBundle < b.meta.pathInBundle ? -1 : 1;
}

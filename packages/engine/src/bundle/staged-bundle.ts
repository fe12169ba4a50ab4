import type { ArtifactMeta } from "@keepsake/core";
import type { KeptBytes } from "@keepsake/files";

/** An artifact whose bytes lie in private staging, or still in an earlier bundle; links and folders have none. */
export interface StagedArtifactFile {
  readonly meta: ArtifactMeta;
  /** a file with its bytes */
  readonly file?: string | undefined;
  /** its bytes without a file of their own; only where nobody needs one */
  readonly kept?: KeptBytes | undefined;
  /**
   * Its bytes as an earlier bundle has them: of a small file that was not read, and is not taken over with its neighbours.
   * Absent of a large one, which is taken over by itself or not at all.
   */
  readonly recall?: (() => Promise<Buffer>) | undefined;
  /** by which its source would recognise the file that it was */
  readonly mark?: string | undefined;
}

/** Orders artifacts as they stand in manifest and archive: by path, in code unit order, so a folder before its content. */
export function byPath(a: StagedArtifactFile, b: StagedArtifactFile): number {
  if (a.meta.pathInBundle === b.meta.pathInBundle) return 0;
  return a.meta.pathInBundle < b.meta.pathInBundle ? -1 : 1;
}

import type { ArtifactReader, ArtifactSource, OpOptions } from "@keepsake/core";
import type { DiffSource } from "../memory-snapshotter.js";
import { diffArtifacts } from "./diff-artifacts.js";

/** What changed in one source: by its own comparison, where it has one. */
export async function diffSource(
  id: string,
  before: ArtifactReader,
  after: ArtifactReader,
  sources: readonly ArtifactSource[],
  options: OpOptions,
): Promise<DiffSource> {
  const source = sources.find((candidate) => candidate.id === id);
  const diff = source?.diff === undefined ? diffArtifacts(before, after) : await source.diff(before, after, options);
  const kind = source?.kind ?? [...before.entries, ...after.entries][0]?.meta.kind ?? id;
  return { id, kind, ...diff };
}

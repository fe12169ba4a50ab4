import type { ArtifactMeta, ByteRange } from "@keepsake/core";
import { headerBytes, headerOf, TAR_BLOCK, TAR_END } from "./tar-entries.js";

/**
 * Where the entries of these artifacts lie in an archive that this program wrote: header, content and padding, by path. What is
 * there has to be looked at, for another program may have written it.
 *
 * @param artifacts all that the archive holds behind its manifest, in its order
 * @param archiveBytes its length; the places are counted from its end, for nothing tells how long its manifest is
 * @returns undefined when they do not fit into it
 */
export async function entryPlaces(
  artifacts: readonly ArtifactMeta[],
  archiveBytes: number,
): Promise<ReadonlyMap<string, ByteRange> | undefined> {
  const places = new Map<string, ByteRange>();
  let end = archiveBytes - TAR_END.length;
  for (const meta of artifacts.toReversed()) {
    const header = headerOf(meta);
    const length = (await headerBytes(header)) + Math.ceil(header.size / TAR_BLOCK) * TAR_BLOCK;
    end -= length;
    places.set(meta.pathInBundle, { start: end, length });
  }
  return end > 0 ? places : undefined;
}

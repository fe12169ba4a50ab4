import type { ArtifactMeta, ByteRange } from "@keepsake/core";
import { headerBytes, headerOf, paddedBytes, TAR_END } from "./tar-entries.js";

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
    const before = headerBytes(header);
    // There are many entries, and few whose name needs more than its own header.
    const length = (typeof before === "number" ? before : await before) + paddedBytes(header.size);
    end -= length;
    places.set(meta.pathInBundle, { start: end, length });
  }
  return end > 0 ? places : undefined;
}

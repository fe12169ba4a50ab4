import { type ByteRange, type Codec, KeepsakeError, type OpOptions, type ParsedManifest } from "@keepsake/core";
import { checkSeal } from "./check-seal.js";
import { countedStream } from "./counted-stream.js";
import { entryPlaces } from "./entry-places.js";
import { FramedContent } from "./framed-content.js";
import type { RangedBundle } from "./ranged-bundle.js";
import { type ArchiveSink, readArchive } from "./read-archive.js";
import { TAR_END } from "./tar-entries.js";

/** How a part of a bundle is read. */
export interface PartOptions extends OpOptions {
  readonly limits: { readonly maxManifestBytes: number };
  readonly onBytes?: ((done: number, total: number) => void) | undefined;
}

/**
 * A bundle of which only parts are read: its index, its manifest, and the entries that are wanted. The digest of the whole file
 * cannot be judged by them. In its place stands the record's manifest seal: the manifest has to be the very one that was
 * published, and each entry what the manifest says.
 */
export class BundlePart {
  readonly parsed: ParsedManifest;
  readonly #content: FramedContent;

  private constructor(content: FramedContent, parsed: ParsedManifest) {
    this.#content = content;
    this.parsed = parsed;
  }

  /**
   * @param codecs to read it with, outermost first
   * @returns undefined when it can only be read as a whole
   * @throws KeepsakeError when anything is not as it should be: the whole bundle tells then what is wrong
   */
  static async open(
    { record, bytes }: RangedBundle,
    codecs: readonly Codec[],
    options: PartOptions,
  ): Promise<BundlePart | undefined> {
    const { signal, limits } = options;
    const innermost = codecs.at(-1);
    let encoded = bytes;
    for (const codec of codecs.slice(0, -1)) {
      const decoded = await codec.decodeRanges?.(encoded, { signal });
      if (decoded === undefined) return undefined;
      encoded = decoded;
    }
    const content = innermost === undefined ? undefined : await FramedContent.open(encoded, innermost, { signal });
    if (content === undefined) return undefined;
    const { maxManifestBytes } = limits;
    const parsed = await readArchive(content.head({ signal }), {}, { maxManifestBytes, manifestOnly: true, signal });
    checkSeal(parsed);
    if (parsed.manifest.seal.digest !== record.manifestSeal) throw otherManifest();
    return new BundlePart(content, parsed);
  }

  /**
   * Reads these artifacts alone.
   *
   * @param wanted paths in the bundle, of artifacts that the manifest declares
   * @throws KeepsakeError as {@link open}
   */
  async read(wanted: ReadonlySet<string>, sink: ArchiveSink, options: PartOptions): Promise<void> {
    const { signal, limits, onBytes } = options;
    const { artifacts } = this.parsed.manifest;
    const places = await entryPlaces(artifacts, this.#content.sizeBytes);
    if (places === undefined) throw otherLayout();
    const ranges = artifacts.flatMap(({ pathInBundle }) =>
      wanted.has(pathInBundle) ? (places.get(pathInBundle) ?? []) : [],
    );
    const total = ranges.reduce((sum, { length }) => sum + length, 0);
    const entries = countedStream(this.#content.read(joined(ranges), { signal }), (done) => onBytes?.(done, total));
    const part = { parsed: this.parsed, wanted };
    await readArchive(ended(entries), sink, { maxManifestBytes: limits.maxManifestBytes, part, signal });
  }
}

/** Those that touch each other as one. */
function joined(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const all: ByteRange[] = [];
  for (const range of ranges) {
    const last = all.at(-1);
    if (last !== undefined && last.start + last.length === range.start) {
      all[all.length - 1] = { start: last.start, length: last.length + range.length };
    } else {
      all.push(range);
    }
  }
  return all;
}

/** Entries as an archive of their own. */
async function* ended(entries: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* entries;
  yield TAR_END;
}

function otherManifest(): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", "The bundle's manifest is not the one that its record names.");
}

function otherLayout(): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", "The archive of the bundle is shorter than what its manifest declares.");
}

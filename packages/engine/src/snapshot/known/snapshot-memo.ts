import { basename } from "node:path";
import { type Codec, type RangedBytes, sha256Hex, type SnapshotRecord, type UnsealedManifest } from "@keepsake/core";
import { type BundlePlace, rangesOf } from "../../bundle/ranged-bundle.js";
import { runsOf, standsAlone } from "../../bundle/segments.js";
import type { StagedArtifactFile } from "../../bundle/staged-bundle.js";
import type { OnSegment } from "../../bundle/segment-places.js";
import type { StoredSegment } from "../../bundle/stored-frames.js";
import { EarlierBundle } from "../../bundle/taken-over.js";
import type { KnownBySource, RecalledFile } from "../open-sessions.js";
import type { LastSnapshot, RememberedFile } from "./last-snapshot.js";
import { MemoFiles } from "./memo-files.js";
import { canBeTaken, type MemoOrder } from "./memo-order.js";

/**
 * What is known of an agent's last snapshot when the next is taken, and what will be known of that.
 *
 * Frames are taken over only where that is quicker than to encode them again (a near store). Where they are encrypted that needs
 * the key, and what is remembered of them, paths and digests, is sealed as they are: it says nothing that they do not.
 */
export class SnapshotMemo {
  /** files that may be recognised without reading them, by source */
  readonly known: KnownBySource;
  readonly earlier: EarlierBundle | undefined;
  readonly #order: MemoOrder;
  readonly #files: MemoFiles;
  readonly #last: LastSnapshot | undefined;
  readonly #segments: { readonly key: string; readonly stored: StoredSegment }[] = [];

  private constructor(order: MemoOrder, files: MemoFiles, last?: LastSnapshot, earlier?: EarlierBundle) {
    this.#order = order;
    this.#files = files;
    this.#last = last;
    this.earlier = earlier;
    this.known = last === undefined || earlier === undefined || order.redact ? new Map() : knownOf(last, earlier);
  }

  static async open(order: MemoOrder): Promise<SnapshotMemo> {
    const files = new MemoFiles(order);
    const last = await files.read(order);
    return new SnapshotMemo(order, files, last, last && (await earlierOf(last, order)));
  }

  /** One that knows nothing. */
  static async forgetting(order: MemoOrder): Promise<SnapshotMemo> {
    const files = new MemoFiles(order);
    await files.forget();
    return new SnapshotMemo(order, files);
  }

  get isEmpty(): boolean {
    return this.earlier === undefined;
  }

  /** False when it is certain that another snapshot is to be made. @param skipUnchanged as the snapshot was ordered */
  mayBeSame(skipUnchanged: boolean | undefined): boolean {
    return !this.isEmpty || (skipUnchanged === true && this.#last !== undefined);
  }

  /** Called for each segment of the bundle that is written; absent where the next one could not take over any. */
  get onSegment(): OnSegment | undefined {
    if (!this.#canBeTaken) return undefined;
    return (key, stored) => {
      this.#segments.push({ key, stored });
    };
  }

  /** The id of the last snapshot if it is of exactly this. */
  sameAs(captured: string): string | undefined {
    return this.#last?.captured === captured ? this.#last.id : undefined;
  }

  /** Everything that a snapshot says of a memory, but for when and by whom, and how it is encoded; as a digest. */
  capturedDigest({ artifacts, sources, omitted, redactions }: Omit<UnsealedManifest, "encryption">): string {
    const encoding = this.#order.codecs.map((codec) => [codec.id, codec.describe?.()]);
    return sha256Hex(JSON.stringify([artifacts, sources, omitted, redactions, encoding]));
  }

  /** Never fails what was done: without it the next snapshot reads everything. */
  async keep(record: SnapshotRecord, artifacts: readonly StagedArtifactFile[], captured: string): Promise<void> {
    const { memory, store, codecs, redact } = this.#order;
    const segments = this.#segments.map(({ key, stored }) => ({ key, ...stored, frames: [...stored.frames] }));
    await this.#write({
      version: 3,
      id: record.id,
      memory,
      store: store.id,
      bundlePath: record.bundlePath,
      bundleSizeBytes: record.bundleSizeBytes,
      codec: idsOf(codecs),
      captured,
      unread: this.#unread,
      files: this.#canBeTaken && !redact ? rememberedOf(artifacts, segments) : {},
      segments,
    });
  }

  /** The same when no snapshot was taken, since nothing had changed. */
  async keepLast(): Promise<void> {
    if (this.#last !== undefined) await this.#write({ ...this.#last, unread: this.#unread });
  }

  get #canBeTaken(): boolean {
    return canBeTaken(this.#order);
  }

  get #unread(): number {
    return this.earlier === undefined ? 0 : (this.#last?.unread ?? 0) + 1;
  }

  async #write(last: LastSnapshot): Promise<void> {
    try {
      await this.#files.write(last);
    } catch (error) {
      const { ref, logger } = this.#order;
      logger.debug("what was captured could not be noted for the next snapshot", {
        agent: ref.agent,
        reason: String(error),
      });
      await this.#files.forget();
    }
  }
}

function idsOf(codecs: readonly Codec[]): string {
  return codecs.map(({ id }) => id).join(",");
}

/** What the last snapshot left, if it is there and all of it need not be read again. */
async function earlierOf(last: LastSnapshot, order: MemoOrder): Promise<EarlierBundle | undefined> {
  const { store, codecs, fullEvery, ref, logger } = order;
  const [codec] = codecs;
  const isDue = last.unread + 1 >= fullEvery;
  if (codec === undefined || isDue || !canBeTaken(order)) return undefined;
  if (idsOf(codecs) !== last.codec || last.segments.length === 0) return undefined;
  try {
    const object = await store.head(last.bundlePath);
    if (object?.sizeBytes !== last.bundleSizeBytes) return undefined;
    const encoded = await innermost(last, order);
    return (
      encoded && new EarlierBundle(encoded, codec, new Map(last.segments.map(({ key, ...stored }) => [key, stored])))
    );
  } catch (error) {
    logger.debug("the last bundle cannot be opened, and everything is read", {
      agent: ref.agent,
      reason: String(error),
    });
    return undefined;
  }
}

/** What the first codec gave, at any place. */
async function innermost(place: BundlePlace, { store, codecs, decoders }: MemoOrder): Promise<RangedBytes | undefined> {
  let bytes: RangedBytes | undefined = rangesOf(store, place);
  if (codecs.length === 1) return bytes;
  for (const outer of (await decoders(basename(place.bundlePath))).slice(0, -1)) {
    bytes = bytes && (await outer.decodeRanges?.(bytes));
  }
  return bytes;
}

function knownOf({ files, segments }: LastSnapshot, earlier: EarlierBundle): KnownBySource {
  const known = new Map<string, Map<string, RecalledFile>>();
  for (const [source, list] of Object.entries(files)) {
    const paths = new Map<string, RecalledFile>();
    for (const [path, mark, sizeBytes, sha256, number, facts] of list) {
      const { key } = segments[number] ?? {};
      const recall =
        key === undefined ? undefined : () => earlier.contentOf(key, `${source}/${path}`, { sizeBytes, sha256 });
      paths.set(path, { mark, sizeBytes, sha256, facts, recall });
    }
    known.set(source, paths);
  }
  return known;
}

/** @param segments all of the bundle but its manifest and its end, in their order */
function rememberedOf(
  artifacts: readonly StagedArtifactFile[],
  segments: readonly unknown[],
): Record<string, RememberedFile[]> {
  const remembered = new Map<string, RememberedFile[]>();
  const runs = [...runsOf(artifacts)];
  for (const [number, run] of runs.entries()) {
    for (const artifact of run) {
      const { meta, mark } = artifact;
      const isAlone = standsAlone(artifact);
      // Without a place of its own, or among its neighbours, nothing could be taken over.
      if (mark === undefined || (!isAlone && runs.length !== segments.length)) continue;
      const { source, pathInBundle, sizeBytes, sha256, facts } = meta;
      const path = pathInBundle.slice(source.length + 1);
      const file = [path, mark, sizeBytes, sha256, isAlone ? -1 : number] as const;
      const files = remembered.get(source) ?? [];
      files.push(facts === undefined ? file : [...file, facts]);
      remembered.set(source, files);
    }
  }
  return Object.fromEntries(remembered);
}

import {
  type AgentRef,
  type BundleStore,
  type Codec,
  type Logger,
  sha256Hex,
  type SnapshotRecord,
  type UnsealedManifest,
} from "@keepsake/core";
import { runsOf, standsAlone } from "../../bundle/segments.js";
import type { StagedArtifactFile } from "../../bundle/staged-bundle.js";
import type { OnSegment } from "../../bundle/segment-places.js";
import type { StoredSegment } from "../../bundle/stored-frames.js";
import { EarlierBundle } from "../../bundle/taken-over.js";
import type { KnownBySource, RecalledFile } from "../open-sessions.js";
import { type LastSnapshot, LastSnapshotFile, type RememberedFile } from "./last-snapshot.js";

/** For whom, of what and how a snapshot is taken. */
export interface MemoOrder {
  readonly stateRoot: string;
  readonly ref: AgentRef;
  readonly memory: string;
  readonly store: BundleStore;
  readonly codecs: readonly Codec[];
  /** what is redacted is read again each time: the rules may be others */
  readonly redact: boolean;
  /** read and encode everything at every so many snapshots: what may be wrong with one does not go on for ever */
  readonly fullEvery: number;
  readonly logger: Logger;
}

/**
 * What is known of an agent's last snapshot when the next is taken, and what will be known of that.
 *
 * Frames are taken over only where that is quicker than to encode them again (a near store), and never where they are
 * encrypted: this side of the key nobody knows what they hold.
 */
export class SnapshotMemo {
  /** files that may be recognised without reading them, by source */
  readonly known: KnownBySource;
  readonly earlier: EarlierBundle | undefined;
  readonly #order: MemoOrder;
  readonly #file: LastSnapshotFile;
  readonly #last: LastSnapshot | undefined;
  readonly #segments: { readonly key: string; readonly stored: StoredSegment }[] = [];

  private constructor(order: MemoOrder, file: LastSnapshotFile, last: LastSnapshot | undefined, isThere: boolean) {
    this.#order = order;
    this.#file = file;
    this.#last = last;
    const isDue = last !== undefined && last.unread + 1 >= order.fullEvery;
    this.earlier = last !== undefined && isThere && !isDue ? earlierOf(last, order) : undefined;
    this.known =
      last === undefined || this.earlier === undefined || order.redact ? new Map() : knownOf(last, this.earlier);
  }

  static async open(order: MemoOrder): Promise<SnapshotMemo> {
    const file = new LastSnapshotFile(order.stateRoot, order.ref);
    const read = await file.read();
    const isOurs = read?.store === order.store.id && read.memory === order.memory;
    const last = isOurs ? read : undefined;
    return new SnapshotMemo(order, file, last, last !== undefined && (await canTakeOver(last, order)));
  }

  /** One that knows nothing. */
  static async forgetting(order: MemoOrder): Promise<SnapshotMemo> {
    const file = new LastSnapshotFile(order.stateRoot, order.ref);
    await file.forget();
    return new SnapshotMemo(order, file, undefined, false);
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
      codec: codecs[0]?.id ?? "",
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
    const { codecs, store } = this.#order;
    return isOpen(codecs) && store.capabilities.near === true;
  }

  get #unread(): number {
    return this.earlier === undefined ? 0 : (this.#last?.unread ?? 0) + 1;
  }

  async #write(last: LastSnapshot): Promise<void> {
    try {
      await this.#file.write(last);
    } catch (error) {
      const { ref, logger } = this.#order;
      logger.debug("what was captured could not be noted for the next snapshot", {
        agent: ref.agent,
        reason: String(error),
      });
      await this.#file.forget();
    }
  }
}

function isOpen([codec, ...others]: readonly Codec[]): boolean {
  return codec?.frames !== undefined && codec.encrypts !== true && others.length === 0;
}

async function canTakeOver(last: LastSnapshot, { store, codecs }: MemoOrder): Promise<boolean> {
  if (!isOpen(codecs) || codecs[0]?.id !== last.codec) return false;
  if (store.capabilities.near !== true || !store.capabilities.ranges || last.segments.length === 0) return false;
  const object = await store.head(last.bundlePath).catch(() => undefined);
  return object?.sizeBytes === last.bundleSizeBytes;
}

function earlierOf({ bundlePath, segments }: LastSnapshot, { store, codecs }: MemoOrder): EarlierBundle | undefined {
  const [codec] = codecs;
  return (
    codec && new EarlierBundle(store, bundlePath, codec, new Map(segments.map(({ key, ...stored }) => [key, stored])))
  );
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

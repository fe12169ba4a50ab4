import {
  type AgentRef,
  collectBytes,
  digestOf,
  isKeepsakeError,
  KeepsakeError,
  parseSnapshotId,
  type SnapshotRecord,
  staleKey,
  type StoredObject,
  streamOf,
} from "@keepsake/core";
import { originInStore } from "../bundle/bundle-origin.js";
import { sameBytes } from "../bundle/same-bytes.js";
import { digestKey, recordKey } from "../layout.js";
import type { SyncReport, SyncStore } from "../memory-snapshotter.js";
import { MAX_RECORD_BYTES, SnapshotCatalog } from "./snapshot-catalog.js";

export type SyncSide = SyncStore;

type Outcome = Pick<SyncReport, "copied" | "deleted" | "differing">;
const NOTHING: Outcome = { copied: [], deleted: [], differing: [] };

/** What one side has of a snapshot. */
interface Holding {
  readonly side: SyncSide;
  readonly record: SnapshotRecord | undefined;
  readonly at: StoredObject | undefined;
}

/** Copies one snapshot to the one of two stores that lacks it. The caller holds the agent's lock. */
export class CopySnapshot {
  readonly #ref: AgentRef;
  readonly #sides: readonly [SyncSide, SyncSide];
  readonly #dryRun: boolean;

  constructor(ref: AgentRef, sides: readonly [SyncSide, SyncSide], dryRun: boolean) {
    this.#ref = ref;
    this.#sides = sides;
    this.#dryRun = dryRun;
  }

  /** @throws the signal's reason, and what a store fails with; what is wrong with the snapshot is in the outcome */
  async run(id: string, signal: AbortSignal): Promise<Outcome> {
    const [left, right] = this.#sides;
    let [from, to] = [left, right];
    try {
      const holdings = [await this.#held(left, id, signal), await this.#held(right, id, signal)] as const;
      const [one, other] = holdings;
      if (one.record === undefined) [from, to] = [right, left];
      if (one.record && other.record) return await this.#compare(one, other, one.record, other.record, signal);
      const holding = one.record ? one : other;
      // Deleted from both since they were listed.
      if (holding.record === undefined) return NOTHING;
      const missed = await this.#missedDeletion(holding, to, signal);
      if (missed) return await this.#delete(holding.record, missed, to, from, signal);
      return await this.#copy(holding.record, from, to, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isKeepsakeError(error) || !OF_THE_SNAPSHOT.has(error.code)) throw error;
      return this.#differing(id, from, to, error.code, error.message);
    }
  }

  async #held(side: SyncSide, id: string, signal: AbortSignal): Promise<Holding> {
    const at = await side.store.head(recordKey(this.#ref, parseSnapshotId(id)), { signal });
    const record = at && (await new SnapshotCatalog(side.store).resolve(this.#ref, id, { signal }));
    return { side, record, at };
  }

  /** The note in one store that the other was down when this snapshot was deleted from both. */
  async #missedDeletion({ side, at }: Holding, other: SyncSide, signal: AbortSignal): Promise<string | undefined> {
    if (at === undefined) return undefined;
    const note = staleKey(side.store.id, at.key);
    const noted = await other.store.head(note, { signal });
    return noted && noted.modifiedAtMs >= at.modifiedAtMs ? note : undefined;
  }

  async #delete(
    record: SnapshotRecord,
    note: string,
    noting: SyncSide,
    from: SyncSide,
    signal: AbortSignal,
  ): Promise<Outcome> {
    if (!this.#dryRun) {
      await new SnapshotCatalog(from.store).remove(record, { signal });
      await noting.store.delete(note, { signal });
    }
    return { ...NOTHING, deleted: [this.#named(record.id, noting, from)] };
  }

  /** The body, its digest, and then the record, which makes it exist; what an earlier call copied is there already. */
  async #copy(record: SnapshotRecord, from: SyncSide, to: SyncSide, signal: AbortSignal): Promise<Outcome> {
    await checkSource(record, from, signal);
    if (this.#dryRun) return this.#copied(record, from, to);
    await this.#copyBody(record, from, to, signal);
    const key = recordKey(this.#ref, parseSnapshotId(record.id));
    // As it lies there: a newer program may have written more into it than this one knows.
    const { body } = await from.store.get(key, { signal });
    await to.store.put(key, streamOf(await collectBytes(body, MAX_RECORD_BYTES)), { signal });
    return this.#copied(record, from, to);
  }

  async #copyBody(record: SnapshotRecord, from: SyncSide, to: SyncSide, signal: AbortSignal): Promise<void> {
    const { bundlePath, fileSha256 } = record;
    if (await to.store.head(bundlePath, { signal })) {
      await expectSame(to, bundlePath, fileSha256, signal);
    } else {
      const { body } = await from.store.get(bundlePath, { signal });
      await to.store.put(bundlePath, sameBytes(body, fileSha256, `The bundle in ${from.name}`), { signal });
    }
    const beside = digestKey(bundlePath);
    if (await to.store.head(beside, { signal })) {
      const recorded = await originInStore(to.store, bundlePath).recordedDigest(signal);
      if (recorded !== fileSha256) throw differs(beside, to);
    } else {
      await to.store.put(beside, streamOf(`${fileSha256}\n`), { signal });
    }
  }

  /** Both have its record: it is to be the same snapshot, and whole in both. */
  async #compare(
    left: Holding,
    right: Holding,
    one: SnapshotRecord,
    other: SnapshotRecord,
    signal: AbortSignal,
  ): Promise<Outcome> {
    if (one.fileSha256 !== other.fileSha256 || one.bundlePath !== other.bundlePath) {
      const message = `${left.side.name} and ${right.side.name} have different bundles of it.`;
      return this.#differing(one.id, left.side, right.side, "E_INTEGRITY", message);
    }
    for (const [{ side: to }, { side: from }] of [
      [left, right],
      [right, left],
    ] as const) {
      const has = await to.store.head(one.bundlePath, { signal });
      const hasDigest = await to.store.head(digestKey(one.bundlePath), { signal });
      if (has && hasDigest) {
        if (has.sizeBytes === one.bundleSizeBytes) continue;
        const message = `The bundle in ${to.name} has ${has.sizeBytes} bytes, and its record says ${one.bundleSizeBytes}.`;
        return this.#differing(one.id, from, to, "E_INTEGRITY", message);
      }
      await checkSource(one, from, signal);
      if (!this.#dryRun) await this.#copyBody(one, from, to, signal);
      return this.#copied(one, from, to);
    }
    return NOTHING;
  }

  #named(id: string, from: SyncSide, to: SyncSide) {
    return { tenant: this.#ref.tenant, agent: this.#ref.agent, id, from: from.name, to: to.name };
  }

  #copied(record: SnapshotRecord, from: SyncSide, to: SyncSide): Outcome {
    return { ...NOTHING, copied: [{ ...this.#named(record.id, from, to), bytes: record.bundleSizeBytes }] };
  }

  #differing(id: string, from: SyncSide, to: SyncSide, code: string, message: string): Outcome {
    return { ...NOTHING, differing: [{ ...this.#named(id, from, to), code, message }] };
  }
}

/** What is wrong with one snapshot, and does not keep the others from being copied. */
const OF_THE_SNAPSHOT: ReadonlySet<string> = new Set([
  "E_INTEGRITY",
  "E_TRUNCATED",
  "E_RECORD",
  "E_LIMIT",
  "E_NOT_FOUND",
  "E_ALREADY_EXISTS",
]);

/** The cheap checks; the bytes are checked on their way. */
async function checkSource(record: SnapshotRecord, { name, store }: SyncSide, signal: AbortSignal): Promise<void> {
  const recorded = await originInStore(store, record.bundlePath).recordedDigest(signal);
  const body = await store.head(record.bundlePath, { signal });
  if (recorded === record.fileSha256 && body?.sizeBytes === record.bundleSizeBytes) return;
  throw new KeepsakeError("E_INTEGRITY", `The bundle in ${name} is not what its record says.`, {
    context: { id: record.id, store: name },
  });
}

async function expectSame(side: SyncSide, key: string, sha256: string, signal: AbortSignal): Promise<void> {
  const { body } = await side.store.get(key, { signal });
  if ((await digestOf(body)).sha256 !== sha256) throw differs(key, side);
}

function differs(key: string, { name }: SyncSide): KeepsakeError {
  return new KeepsakeError("E_ALREADY_EXISTS", `${name} has something else at ${JSON.stringify(key)}.`, {
    context: { key, store: name },
  });
}

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
import type { RepairedPart, SyncReport, SyncStore } from "../memory-snapshotter.js";
import { isBroken } from "./broken-records.js";
import { type CopyState, copyState, isInOrder } from "./copy-state.js";
import { MAX_RECORD_BYTES, SnapshotCatalog } from "./snapshot-catalog.js";

export type SyncSide = SyncStore;

export type SyncOutcome = Omit<SyncReport, "dryRun">;
const NOTHING: SyncOutcome = { copied: [], repaired: [], deleted: [], differing: [] };

/** What one side has of a snapshot. */
interface Holding {
  readonly side: SyncSide;
  readonly record: SnapshotRecord | undefined;
  readonly at: StoredObject | undefined;
  /** why a record that is there cannot be read */
  readonly broken?: KeepsakeError;
}

interface CopyOptions {
  readonly dryRun: boolean;
  /** read what both have, and do not go by sizes and digests alone */
  readonly deep: boolean;
}

/**
 * Copies one snapshot to the one of two stores that lacks it, and puts right what one of them has damaged. The caller holds
 * the agent's lock.
 */
export class CopySnapshot {
  readonly #ref: AgentRef;
  readonly #sides: readonly [SyncSide, SyncSide];
  readonly #dryRun: boolean;
  readonly #deep: boolean;

  constructor(ref: AgentRef, sides: readonly [SyncSide, SyncSide], { dryRun, deep }: CopyOptions) {
    this.#ref = ref;
    this.#sides = sides;
    this.#dryRun = dryRun;
    this.#deep = deep;
  }

  /** @throws the signal's reason, and what a store fails with; what is wrong with the snapshot is in the outcome */
  async run(id: string, signal: AbortSignal): Promise<SyncOutcome> {
    const [left, right] = this.#sides;
    let [from, to] = [left, right];
    try {
      const holdings = [await this.#held(left, id, signal), await this.#held(right, id, signal)] as const;
      const [one, other] = holdings;
      if (one.record === undefined) [from, to] = [right, left];
      if (one.record && other.record) return await this.#compare(one, other, one.record, other.record, signal);
      if (one.record && other.broken) return await this.#restoreRecord(one.record, left, right, signal);
      if (other.record && one.broken) return await this.#restoreRecord(other.record, right, left, signal);
      const broken = one.broken ?? other.broken;
      if (broken) throw broken;
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
    try {
      const record = at && (await new SnapshotCatalog(side.store).resolve(this.#ref, id, { signal }));
      return { side, record, at };
    } catch (error) {
      // One that is newer than this program is not broken.
      if (!isKeepsakeError(error) || !isBroken(error)) throw error;
      return { side, record: undefined, at, broken: error };
    }
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
  ): Promise<SyncOutcome> {
    if (!this.#dryRun) {
      await new SnapshotCatalog(from.store).remove(record, { signal });
      await noting.store.delete(note, { signal });
    }
    return { ...NOTHING, deleted: [this.#named(record.id, noting, from)] };
  }

  /** The body, its digest, and then the record, which makes it exist; what an earlier call copied is there already. */
  async #copy(record: SnapshotRecord, from: SyncSide, to: SyncSide, signal: AbortSignal): Promise<SyncOutcome> {
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
  ): Promise<SyncOutcome> {
    if (one.fileSha256 !== other.fileSha256 || one.bundlePath !== other.bundlePath) {
      return this.#compareDifferent(left.side, right.side, one, other, signal);
    }
    const options = { deep: this.#deep, signal };
    const states = [await copyState(left.side, one, options), await copyState(right.side, one, options)] as const;
    const directions = [
      { from: right.side, to: left.side, state: states[0] },
      { from: left.side, to: right.side, state: states[1] },
    ].filter(({ state }) => !isInOrder(state));
    // One that can be mended out of itself goes first: it is what the other is copied from.
    directions.sort((a, b) => Number(b.state.bundle === "right") - Number(a.state.bundle === "right"));
    const outcomes: SyncOutcome[] = [];
    for (const { from, to, state } of directions) outcomes.push(await this.#putRight(one, from, to, state, [], signal));
    return {
      ...NOTHING,
      copied: outcomes.flatMap(({ copied }) => copied),
      repaired: outcomes.flatMap(({ repaired }) => repaired),
    };
  }

  /** Two records that contradict each other: only what lies beside them tells whether one of them is wrong. */
  async #compareDifferent(
    left: SyncSide,
    right: SyncSide,
    one: SnapshotRecord,
    other: SnapshotRecord,
    signal: AbortSignal,
  ): Promise<SyncOutcome> {
    const message = `${left.name} and ${right.name} have different bundles of it.`;
    const differing = this.#differing(one.id, left, right, "E_INTEGRITY", message);
    if (!this.#deep || one.bundlePath !== other.bundlePath) return differing;
    const options = { deep: true, signal };
    const isLeft = isInOrder(await copyState(left, one, options));
    const isRight = isInOrder(await copyState(right, other, options));
    if (isLeft === isRight) return differing;
    return isLeft ? this.#restoreRecord(one, left, right, signal) : this.#restoreRecord(other, right, left, signal);
  }

  async #restoreRecord(
    record: SnapshotRecord,
    from: SyncSide,
    to: SyncSide,
    signal: AbortSignal,
  ): Promise<SyncOutcome> {
    const state = await copyState(to, record, { deep: true, signal });
    return this.#putRight(record, from, to, state, ["record"], signal);
  }

  /** What is taken away is proven not to be what the record says, and what takes its place was read before, to its end. */
  async #putRight(
    record: SnapshotRecord,
    from: SyncSide,
    to: SyncSide,
    state: CopyState,
    wrong: readonly RepairedPart[],
    signal: AbortSignal,
  ): Promise<SyncOutcome> {
    const parts: RepairedPart[] = [...wrong];
    if (state.bundle === "wrong") parts.push("bundle");
    if (state.digest === "wrong") parts.push("digest");
    if (parts.length === 0) {
      await checkSource(record, from, signal);
      if (!this.#dryRun) await this.#copyBody(record, from, to, signal);
      return this.#copied(record, from, to);
    }
    if (state.bundle !== "right") await expectWhole(record, from, signal);
    if (!this.#dryRun) {
      if (state.bundle === "wrong") await to.store.delete(record.bundlePath, { signal });
      if (state.digest === "wrong") await to.store.delete(digestKey(record.bundlePath), { signal });
      await this.#copyBody(record, from, to, signal);
      if (wrong.includes("record")) await this.#replaceRecord(record, from, to, signal);
    }
    return { ...NOTHING, repaired: [{ ...this.#named(record.id, from, to), parts }] };
  }

  async #replaceRecord({ id }: SnapshotRecord, from: SyncSide, to: SyncSide, signal: AbortSignal): Promise<void> {
    const key = recordKey(this.#ref, parseSnapshotId(id));
    const bytes = await collectBytes((await from.store.get(key, { signal })).body, MAX_RECORD_BYTES);
    if (to.store.replace) {
      await to.store.replace(key, bytes, { signal });
      return;
    }
    await to.store.delete(key, { signal });
    await to.store.put(key, streamOf(bytes), { signal });
  }

  #named(id: string, from: SyncSide, to: SyncSide) {
    return { tenant: this.#ref.tenant, agent: this.#ref.agent, id, from: from.name, to: to.name };
  }

  #copied(record: SnapshotRecord, from: SyncSide, to: SyncSide): SyncOutcome {
    return { ...NOTHING, copied: [{ ...this.#named(record.id, from, to), bytes: record.bundleSizeBytes }] };
  }

  #differing(id: string, from: SyncSide, to: SyncSide, code: string, message: string): SyncOutcome {
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

/** That the bundle is what the record says; what the digest beside it says is of no account. */
async function expectWhole(record: SnapshotRecord, from: SyncSide, signal: AbortSignal): Promise<void> {
  const { bundle } = await copyState(from, record, { deep: true, signal });
  if (bundle !== "right") throw isNoSource(record, from);
}

/** The cheap checks; the bytes are checked on their way. */
async function checkSource(record: SnapshotRecord, { name, store }: SyncSide, signal: AbortSignal): Promise<void> {
  const recorded = await originInStore(store, record.bundlePath).recordedDigest(signal);
  const body = await store.head(record.bundlePath, { signal });
  if (recorded === record.fileSha256 && body?.sizeBytes === record.bundleSizeBytes) return;
  throw isNoSource(record, { name });
}

function isNoSource({ id }: SnapshotRecord, { name }: Pick<SyncSide, "name">): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", `The bundle in ${name} is not what its record says.`, {
    context: { id, store: name },
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

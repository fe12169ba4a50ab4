import {
  canonicalJson,
  type Codec,
  type JsonValue,
  type Manifest,
  type OpOptions,
  sha256Hex,
  type SnapshotRecord,
  type WatchedPlace,
} from "@keepsake/core";
import { policiesByMode } from "../../redaction/policies-by-mode.js";
import { ENGINE_VERSION } from "../../version.js";
import type { AgentProfile } from "../../workspace.js";
import { captureState, stateFingerprint } from "../captured-state.js";
import { type LastTrace, LastTraceFile } from "./last-trace.js";
import { type TracedPlaces, tracedPlaces, traceOf } from "./trace.js";

/** What is to be captured, and how: what it says decides what a snapshot holds. */
export interface StandstillOrder {
  readonly stateRoot: string;
  readonly profile: AgentProfile;
  readonly codecs: readonly Codec[];
  readonly redact: boolean;
  readonly requireClean: boolean;
  /** look at everything at every so many snapshots */
  readonly fullEvery: number;
}

/** A snapshot that the memory is as. */
interface KeptSnapshot {
  readonly record: SnapshotRecord;
  readonly manifest: Manifest;
}

/** How a memory was from one look to another: all at once from when the first was begun until the second was. */
interface Look {
  /** of everything but the places */
  readonly order: string;
  readonly places: TracedPlaces;
  /** undefined where it cannot be told whether anything changes */
  readonly trace: string | undefined;
}

/**
 * Whether a memory still stands as it was when its last snapshot was taken. Only the system is asked, about names, sizes and times:
 * nothing is opened, no writer waits. Where the answer is yes, it was so in the moment in which the question was asked.
 */
export class Standstill {
  readonly #order: StandstillOrder;
  readonly #file: LastTraceFile;
  readonly #last: LastTrace | undefined;
  readonly #now: Look | undefined;
  #before: Look | undefined;
  #after: Promise<Look | undefined> | undefined;

  private constructor(order: StandstillOrder, file: LastTraceFile, last: LastTrace | undefined, now: Look | undefined) {
    this.#order = order;
    this.#file = file;
    this.#last = last;
    this.#now = now;
  }

  static async look(order: StandstillOrder, options: OpOptions): Promise<Standstill> {
    const file = new LastTraceFile(order.stateRoot, order.profile.ref);
    const last = await file.read();
    return new Standstill(order, file, last, last && (await lookAt(last.places, order, options)));
  }

  /** True when this snapshot is to look at everything. */
  get isDue(): boolean {
    return this.#last !== undefined && this.#last.unread + 1 >= this.#order.fullEvery;
  }

  /** The id of the snapshot that the memory is still as. */
  get since(): string | undefined {
    const { order, trace } = this.#now ?? {};
    if (this.#last?.trace === undefined || this.isDue) return undefined;
    return trace === this.#last.trace && order === this.#last.order ? this.#last.id : undefined;
  }

  /** Before anything is pinned. @param watched undefined where one of the sources cannot tell them */
  async begin(watched: readonly WatchedPlace[] | undefined, options: OpOptions): Promise<void> {
    const places = watched && (await tracedPlaces(watched).catch(() => undefined));
    if (places === undefined) this.#before = undefined;
    else this.#before = isSame(places, this.#now?.places) ? this.#now : await lookAt(places, this.#order, options);
  }

  /** Once everything is captured; what it finds is waited for by {@link keep}. */
  end(options: OpOptions): void {
    const before = this.#before;
    this.#after = before && lookAt(before.places, this.#order, options).catch(() => undefined);
  }

  /**
   * Never fails what was done. What has something to tell of what it holds or lacks is captured each time, and tells it again.
   *
   * @param read whether everything was read for it
   */
  async keep({ record, manifest }: KeptSnapshot, read: boolean): Promise<void> {
    const [before, after] = [this.#before, await this.#after];
    const tells = !record.complete || (manifest.redactions?.warnings.length ?? 0) > 0;
    if (tells || before === undefined || after?.order !== before.order) {
      await this.#file.forget();
      return;
    }
    const trace = after.trace === before.trace ? after.trace : undefined;
    const { order, places } = after;
    const unread = read ? 0 : (this.#last?.unread ?? 0) + 1;
    await this.#write({ version: 1, id: record.id, order, places, ...(trace === undefined ? {} : { trace }), unread });
  }

  /** The same when none was taken. */
  async keepLast(): Promise<void> {
    if (this.#last !== undefined) await this.#write({ ...this.#last, unread: this.#last.unread + 1 });
  }

  async #write(last: LastTrace): Promise<void> {
    await this.#file.write(last).catch(() => this.#file.forget());
  }
}

async function lookAt(places: TracedPlaces, order: StandstillOrder, options: OpOptions): Promise<Look | undefined> {
  const before = await orderDigest(order, options);
  if (before === undefined) return undefined;
  const trace = await traceOf(places, options);
  // State values have no times.
  const isStill = (await orderDigest(order, options)) === before;
  return { order: before, places, trace: isStill ? trace : undefined };
}

/** A digest of what decides, beside the places, what a snapshot holds; undefined where that is not all known. */
async function orderDigest(order: StandstillOrder, options: OpOptions): Promise<string | undefined> {
  const { profile, codecs, redact, requireClean } = order;
  const { ref, paths, store, state, redaction, configuration } = profile;
  const policies = redact ? policiesByMode(await redaction.policies()) : [];
  const rules = policies.map(({ mode, policy: { fingerprint } }) => fingerprint && `${mode} ${fingerprint}`);
  if (configuration === undefined || rules.includes(undefined)) return undefined;
  const values = stateFingerprint(await captureState(state, { agent: ref, paths }, options));
  const encoding = codecs.map((codec) => [codec.id, codec.describe?.() ?? null]);
  const parts = [ENGINE_VERSION, configuration, paths.memory, store.id, encoding, redact, requireClean, rules, values];
  return sha256Hex(canonicalJson(parts as JsonValue));
}

function isSame(a: TracedPlaces, b: TracedPlaces | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

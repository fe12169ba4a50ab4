import {
  type BundleEntry,
  isKeepsakeError,
  KeepsakeError,
  type Lock,
  type OpOptions,
  type PathClaim,
  type RestorePlan,
  type RestoreSession,
  type RestoreTarget,
} from "@keepsake/core";
import { makeStagingPlace, stagingPlaceFor } from "@keepsake/files";
import type { AgentProfile } from "../workspace.js";
import { captureState } from "../snapshot/captured-state.js";
import { STATE_FOLDER } from "../snapshot/stage-state.js";
import { entriesOf } from "./entries-of.js";
import {
  type JournaledPlan,
  type JournalEntry,
  RestoreJournal,
  type RestorePhase,
  type StatePlan,
} from "./restore-journal.js";
import { checkState, replayState } from "./replay-state.js";
import { endRestore } from "./restore-recovery.js";
import { namesOf } from "./selection/names-of.js";
import { Selection } from "./selection/selection.js";
import { restoresWhole, type SourceToRestore, sourcesToRestore } from "./sources-to-restore.js";
import type { UnpackedBundle } from "./unpacked-bundle.js";

interface Participant {
  readonly id: string;
  readonly session: RestoreSession;
  readonly takesRemainder: boolean;
  plan: RestorePlan | undefined;
}

/** Everything a transaction needs to know. */
export interface TransactionOrder {
  readonly profile: AgentProfile;
  readonly stateRoot: string;
  readonly operationId: string;
  readonly live: boolean;
  /** patterns of what is restored; undefined: everything */
  readonly only?: readonly string[] | undefined;
  readonly lock: Lock;
}

/**
 * One restore over all sources together: stage → commit or abandon. The journal is written before anything beside or in
 * the live data, so that whatever happens, recovery knows what to do.
 */
export class RestoreTransaction implements AsyncDisposable {
  readonly #order: TransactionOrder;
  readonly #journal: RestoreJournal;
  readonly #participants: Participant[] = [];
  readonly #sessions: RestoreSession[] = [];
  readonly #stagingDirs: string[] = [];
  #lastPlace: Promise<unknown> = Promise.resolve();
  #phase: RestorePhase | "open" | "over" = "open";
  #state: StatePlan | undefined;
  #selection: Selection | undefined;

  constructor(order: TransactionOrder) {
    this.#order = order;
    this.#journal = new RestoreJournal(order.stateRoot, order.profile.ref);
  }

  /** The plans, by source, in the order of the commit. */
  get plans(): readonly { readonly source: string; readonly plan: RestorePlan }[] {
    return this.#participants.flatMap(({ id, plan }) => (plan === undefined ? [] : [{ source: id, plan }]));
  }

  /** The values that will be set and those there are now, or undefined when state is not restored. */
  get state(): StatePlan | undefined {
    return this.#state;
  }

  /** What the restore is limited to, or undefined when it is of everything. */
  get selection(): Selection | undefined {
    return this.#selection;
  }

  /**
   * Writes everything beside the live data and checks it there. Changes nothing live.
   *
   * @param onUnpacked called once all that is needed of the bundle is there
   */
  async stage(unpacked: UnpackedBundle, options: OpOptions, onUnpacked?: () => void): Promise<void> {
    const { profile, only } = this.#order;
    if (only !== undefined) {
      const ids = [...profile.sources.map(({ id }) => id), ...unpacked.sourceIds];
      this.#selection = new Selection(only, ids, profile.paths.memory);
    }
    await this.#enter("staging");
    await this.#openSessions(unpacked, options);
    await unpacked.bring((entry) => this.#needs(entry));
    onUnpacked?.();
    await this.#stageAll(unpacked, options);
    if (unpacked.hasState) this.#state = await this.#planState(unpacked, options);
    this.#selection?.checkAllMet(namesOf(profile, unpacked.manifest, this.plans));
  }

  /**
   * Commits every source, then the state values. On a failure everything is taken back and the failure is thrown; only
   * when that fails too, or the lock was lost, is the journal left, for `recover`.
   */
  async commit(options: OpOptions): Promise<void> {
    const { lock, profile } = this.#order;
    await this.#enter("intent");
    let decided = false;
    try {
      for (const { session, plan } of this.#participants) {
        options.signal?.throwIfAborted();
        if (plan !== undefined) await session.commit(plan, options);
      }
      if (this.#state !== undefined) await replayState(profile, this.#state, "to", options);
      options.signal?.throwIfAborted();
      await lock.assertHeld();
      decided = true;
      await this.#write("committed");
    } catch (error) {
      // Whoever has the lock now takes this restore back, or has done so: what is live is no longer ours to touch.
      if (await isLost(lock)) throw this.#lost(error);
      await this.#takeBack(error, decided);
      throw error;
    }
    for (const { session, plan } of this.#participants) if (plan !== undefined) await session.finish(plan);
    await this.#end();
  }

  /** Removes what was staged; nothing live was changed. */
  async abandon(): Promise<void> {
    if (this.#phase === "staging") await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.abandon();
    } finally {
      const sessions = this.#sessions.toReversed();
      // One that cannot be closed keeps none of the others open.
      await Promise.all(sessions.map(async (session) => session[Symbol.asyncDispose]()));
    }
  }

  /** @param decided the journal may say "committed" by now, although writing it failed */
  async #takeBack(cause: unknown, decided: boolean): Promise<void> {
    try {
      // Taken back under a journal that says "committed", it would be called completed by a recovery. Where the journal
      // cannot be written, all stays as it is: then whatever the journal says is a whole state.
      if (decided) await this.#write("intent");
      for (const { session, plan } of this.#participants.toReversed()) {
        if (plan !== undefined) await session.rollback(plan);
      }
      if (this.#state !== undefined) await replayState(this.#order.profile, this.#state, "before", {});
      await this.#journal.noteTakenBack();
      await this.#end();
    } catch (error) {
      throw new KeepsakeError("E_IO", "The restore failed, and taking it back failed too.", {
        cause: new AggregateError([cause, error]),
        context: { operation_id: this.#order.operationId },
        hint: "Run `keepsake recover` once the cause is gone; it brings back the state before the restore, or completes it where all but the last word was done.",
      });
    }
  }

  /**
   * Those that look after places of their own at once: one may wait for its databases to be checked while another writes. Then those
   * that take the remainder, who look which of it others hold open. All have ended when the first failure, in their order, is thrown.
   */
  async #stageAll(unpacked: UnpackedBundle, options: OpOptions): Promise<void> {
    for (const isRemainder of [false, true]) {
      const participants = this.#participants.filter(({ takesRemainder }) => takesRemainder === isRemainder);
      const ends = await Promise.allSettled(participants.map((one) => this.#stageOne(one, unpacked, options)));
      for (const end of ends) if (end.status === "rejected") throw end.reason;
    }
  }

  async #stageOne(participant: Participant, unpacked: UnpackedBundle, options: OpOptions): Promise<void> {
    const { entries, omitted } = unpacked.reader(participant.id);
    participant.plan = await participant.session.stage(entriesOf(entries), omitted, options);
    if (entries.length > 0 || participant.plan.changes.length > 0) this.#selection?.noteWhole(participant.id);
  }

  /** True for what is staged, or read for the state values. */
  #needs(entry: BundleEntry): boolean {
    const { source } = entry.meta;
    if (source === STATE_FOLDER) return this.#selection?.names(STATE_FOLDER) ?? true;
    const participant = this.#participants.find(({ id }) => id === source);
    return participant !== undefined && (participant.session.needs?.(entry) ?? true);
  }

  /** What becomes of the state values; undefined when none of them is to be restored. */
  async #planState(unpacked: UnpackedBundle, options: OpOptions): Promise<StatePlan | undefined> {
    const { profile } = this.#order;
    const selection = this.#selection;
    if (selection !== undefined && !selection.names(STATE_FOLDER)) return undefined;
    const wanted = await unpacked.state();
    const now = await captureState(profile.state, { agent: profile.ref, paths: profile.paths }, options);
    // What the snapshot saw and did not capture stays as it is.
    const { stateOmitted } = unpacked;
    const isCaptured = (key: string): boolean => !stateOmitted.includes(key);
    const known = profile.state.flatMap((provider) => [...provider.keys]).filter(isCaptured);
    const held = [...wanted, ...now.items, ...now.omitted].map(({ key }) => key).filter(isCaptured);
    if (held.length > 0) selection?.noteWhole(STATE_FOLDER);
    const keys = selection?.stateKeys(new Set(held), known) ?? [...new Set([...held, ...known])];
    const restored = <T extends { readonly key: string }>(items: readonly T[]): T[] =>
      items.filter(({ key }) => keys.includes(key));
    checkState(profile, restored(wanted));
    const unread = restored(now.omitted).map(({ key }) => key);
    return { to: restored(wanted), before: restored(now.items), keys, ...(unread.length > 0 ? { unread } : {}) };
  }

  async #openSessions(unpacked: UnpackedBundle, options: OpOptions): Promise<void> {
    const claimed: PathClaim[] = [];
    const { profile } = this.#order;
    for (const part of sourcesToRestore(profile.sources, unpacked.sourceIds, this.#selection)) {
      const { source, open, wanted } = part;
      const others = source.takes === "remainder" ? [...claimed] : [];
      const session = await open(this.#target(part, unpacked, others), options);
      this.#sessions.push(session);
      claimed.push(...(wanted ? session.claims : session.claims.map(asItIs)));
      const takesRemainder = source.takes === "remainder";
      if (wanted) this.#participants.push({ id: source.id, session, takesRemainder, plan: undefined });
      if (!wanted) this.#refuseUnasked(part, session.claims, unpacked.sourceIds);
    }
  }

  /** A source that knows no selection is not asked; that something of it is selected must not pass unnoticed. */
  #refuseUnasked({ source }: SourceToRestore, claims: readonly PathClaim[], captured: ReadonlySet<string>): void {
    if (source.restores === "part" || !captured.has(source.id)) return;
    const pattern = this.#selection?.meets(claims);
    if (pattern !== undefined) throw restoresWhole(source.id, pattern);
  }

  #target({ source, wanted }: SourceToRestore, unpacked: UnpackedBundle, claimed: readonly PathClaim[]): RestoreTarget {
    const { profile, operationId, live } = this.#order;
    const stageBeside = (dir: string): Promise<string> => this.#stageBeside(dir);
    // What does not come back takes no place.
    const artifacts = wanted ? unpacked.manifest.artifacts.filter((meta) => meta.source === source.id) : [];
    const omitted = unpacked.manifest.omitted.filter((omission) => omission.source === source.id);
    const only = wanted && source.restores === "part" ? this.#selection?.of(source.id) : undefined;
    const selected = only === undefined ? {} : { only };
    const { ref: agent, paths } = profile;
    return { agent, paths, operationId, artifacts, omitted, claimed, live, stageBeside, ...selected };
  }

  /** One after the other, whoever asks at once: there is one journal. */
  #stageBeside(dir: string): Promise<string> {
    const made = this.#lastPlace.then(async () => {
      const place = await stagingPlaceFor(dir, `${this.#order.operationId}-${String(this.#stagingDirs.length)}`);
      this.#stagingDirs.push(place);
      await this.#enter("staging");
      await makeStagingPlace(place);
      return place;
    });
    this.#lastPlace = made.catch(() => undefined);
    return made;
  }

  #lost(cause: unknown): KeepsakeError {
    this.#phase = "over";
    return new KeepsakeError("E_LOCK_LOST", "The lock was lost while the restore was being committed.", {
      cause,
      context: { operation_id: this.#order.operationId },
      hint: "The next operation on this agent, or `keepsake recover`, brings back the state before the restore.",
    });
  }

  /** The journal belongs to whoever holds the lock. */
  async #enter(phase: RestorePhase): Promise<void> {
    await this.#order.lock.assertHeld();
    await this.#write(phase);
  }

  async #write(phase: RestorePhase): Promise<void> {
    await this.#journal.write(this.#entry(phase));
    this.#phase = phase;
  }

  async #end(): Promise<void> {
    await endRestore(this.#entry("committed"), this.#journal);
    this.#phase = "over";
  }

  #entry(phase: RestorePhase): JournalEntry {
    const { profile, operationId } = this.#order;
    return {
      version: 1,
      operationId,
      agentId: profile.ref.agent,
      tenant: profile.ref.tenant,
      memory: profile.paths.memory,
      phase,
      stagingDirs: this.#stagingDirs,
      plans: phase === "staging" ? [] : this.plans.map(journaled),
      ...(phase === "staging" || this.#state === undefined ? {} : { state: this.#state }),
    };
  }
}

/** What a recovery needs: the changes may be as many as there are files, and are for people. */
function journaled({ source, plan: { data } }: JournaledPlan): JournaledPlan {
  return { source, plan: { data, changes: [], notices: [] } };
}

async function isLost(lock: Lock): Promise<boolean> {
  if (lock.signal.aborted) return true;
  try {
    await lock.assertHeld();
    return false;
  } catch (error) {
    return isKeepsakeError(error, "E_LOCK_LOST");
  }
}

/** A source that the bundle has nothing of does not take part: all of its places stay as they are. */
function asItIs({ path, scope }: PathClaim): PathClaim {
  return { path, scope };
}

import { performance } from "node:perf_hooks";
import {
  type ArtifactSource,
  type CaptureSession,
  type CutReport,
  isKeepsakeError,
  KeepsakeError,
  type OpOptions,
  type PathClaim,
  type StateItem,
} from "@keepsake/core";
import type { AgentProfile } from "../workspace.js";
import { captureState, stateFingerprint } from "./captured-state.js";
import type { PrivateStaging } from "./private-staging.js";

/** How strictly one attempt is made: with writers held, by fences alone, or as well as it goes. */
export type CutMode = CutReport["consistency"];

/** How a cut is taken. */
export interface CutOptions extends OpOptions {
  /** for an undo: sources tidy nothing */
  readonly exact?: boolean | undefined;
}

/** A source whose session is pinned. */
export interface PinnedSource {
  readonly source: ArtifactSource;
  readonly session: CaptureSession;
  /** set when only an unchanged fence proves what `entries` shows */
  readonly fence: string | undefined;
}

/**
 * One instant over all sources and state values of an agent.
 *
 * Holding alone would not do: notes and repositories cannot be held. Fences alone would not do under load: a busy
 * database never stands still. Together they show one instant: what can be held is pinned while all of it is held, and
 * what cannot be held is shown not to have moved from before the hold until after it.
 */
export class Cut implements AsyncDisposable {
  readonly pinned: readonly PinnedSource[];
  readonly state: readonly StateItem[];
  readonly heldMs: number;
  readonly #sessions: readonly CaptureSession[];
  readonly #strict: boolean;

  private constructor(
    sessions: readonly CaptureSession[],
    pinned: readonly PinnedSource[],
    state: readonly StateItem[],
    heldMs: number,
    strict: boolean,
  ) {
    this.#sessions = sessions;
    this.pinned = pinned;
    this.state = state;
    this.heldMs = heldMs;
    this.#strict = strict;
  }

  /**
   * One attempt.
   *
   * @throws KeepsakeError `E_SOURCE_BUSY` when a writer did not yield, `E_SOURCE_CHANGED` when something moved: another
   *   attempt may succeed
   */
  static async attempt(
    profile: AgentProfile,
    staging: PrivateStaging,
    mode: CutMode,
    { exact = false, ...options }: CutOptions,
  ): Promise<Cut> {
    const opened = new OpenSessions(profile, staging, exact);
    try {
      await opened.openAll(options);
      return await Cut.#pinAll(profile, opened, mode, options);
    } catch (error) {
      await disposeAll(opened.sessions);
      throw error;
    }
  }

  static async #pinAll(profile: AgentProfile, opened: OpenSessions, mode: CutMode, options: OpOptions): Promise<Cut> {
    const { entries, sessions } = opened;
    const target = { agent: profile.ref, paths: profile.paths };
    const paused = await quiesceAll(profile, options);
    try {
      const before = await fencesOf(sessions, options);
      const stateBefore = await captureState(profile.state, target, options);
      const { pins, heldMs } = await pinHeld(sessions, mode === "instant", profile.cut.holdTimeoutMs, options);
      const stateAfter = await captureState(profile.state, target, options);
      const after = await fencesOf(sessions, options);
      const strict = mode !== "best_effort";
      if (strict && stateFingerprint(stateBefore) !== stateFingerprint(stateAfter)) throw moved("state");
      const pinned = entries.map(({ source, session }, index) => {
        // Pinned under a hold it may move on at once. Pinned beside it, nothing but a still fence ties it to that instant.
        const underHold = mode === "instant" && session.hold !== undefined && pins.get(session) === "held";
        if (strict && !underHold && before[index] !== after[index]) throw moved(source.id);
        return { source, session, fence: pins.get(session) === "held" ? undefined : before[index] };
      });
      return new Cut(sessions, pinned, stateAfter, heldMs, strict);
    } finally {
      await disposeAll(paused);
    }
  }

  /** Shows that what was read under a fence had not moved until now. @throws KeepsakeError `E_SOURCE_CHANGED` */
  async proveUnmoved(options: OpOptions): Promise<void> {
    if (!this.#strict) return;
    for (const { source, session, fence } of this.pinned) {
      if (fence === undefined || session.fence === undefined) continue;
      if ((await session.fence(options)) !== fence) throw moved(source.id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await disposeAll(this.#sessions);
  }
}

/** True for what another attempt may overcome. */
export function isWorthAnotherAttempt(error: unknown): boolean {
  return isKeepsakeError(error, "E_SOURCE_BUSY") || isKeepsakeError(error, "E_SOURCE_CHANGED");
}

class OpenSessions {
  readonly sessions: CaptureSession[] = [];
  readonly entries: { readonly source: ArtifactSource; readonly session: CaptureSession }[] = [];
  readonly #profile: AgentProfile;
  readonly #staging: PrivateStaging;
  readonly #exact: boolean;

  constructor(profile: AgentProfile, staging: PrivateStaging, exact: boolean) {
    this.#profile = profile;
    this.#staging = staging;
    this.#exact = exact;
  }

  async openAll(options: OpOptions): Promise<void> {
    const { sources } = this.#profile;
    const claimed: PathClaim[] = [];
    for (const source of sources.filter((candidate) => candidate.takes !== "remainder")) {
      claimed.push(...(await this.#open(source, [], options)).claims);
    }
    for (const source of sources.filter((candidate) => candidate.takes === "remainder")) {
      const session = await this.#open(source, [...claimed], options);
      claimed.push(...session.claims);
    }
  }

  async #open(source: ArtifactSource, claimed: readonly PathClaim[], options: OpOptions): Promise<CaptureSession> {
    const { ref: agent, paths } = this.#profile;
    const scratchDir = await this.#staging.folder(`capture-${source.id}`);
    const session = await source.open({ agent, paths, scratchDir, claimed, exact: this.#exact }, options);
    this.sessions.push(session);
    this.entries.push({ source, session });
    return session;
  }
}

async function quiesceAll(profile: AgentProfile, options: OpOptions): Promise<AsyncDisposable[]> {
  const paused: AsyncDisposable[] = [];
  try {
    for (const provider of profile.state) {
      const handle = await provider.quiesce?.({ agent: profile.ref, paths: profile.paths }, options);
      if (handle !== undefined) paused.push(handle);
    }
    return paused;
  } catch (error) {
    await disposeAll(paused);
    throw error;
  }
}

function fencesOf(sessions: readonly CaptureSession[], options: OpOptions): Promise<(string | undefined)[]> {
  return Promise.all(sessions.map(async (session) => session.fence?.(options)));
}

/**
 * Holds all in their order, pins all, releases all; a hold that is not released in time is a writer that fails. What
 * cannot be held is pinned before: its fence speaks for it, and nobody waits for it.
 */
async function pinHeld(
  sessions: readonly CaptureSession[],
  hold: boolean,
  holdTimeoutMs: number,
  { signal }: OpOptions,
): Promise<{ pins: ReadonlyMap<CaptureSession, "held" | "fenced">; heldMs: number }> {
  const deadline = AbortSignal.timeout(holdTimeoutMs * Math.max(1, sessions.length) + HOLD_GRACE_MS);
  const options = { signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]) };
  const pins = new Map<CaptureSession, "held" | "fenced">();
  const holdable = sessions.filter((session) => hold && session.hold !== undefined);
  const holds: AsyncDisposable[] = [];
  let heldSince: number | undefined;
  try {
    for (const session of sessions) if (!holdable.includes(session)) pins.set(session, await session.pin(options));
    for (const session of holdable) {
      const handle = await session.hold?.({ ...options, timeoutMs: holdTimeoutMs });
      heldSince ??= performance.now();
      if (handle !== undefined) holds.push(handle);
    }
    for (const session of holdable) pins.set(session, await session.pin(options));
    await disposeAll(holds);
    const heldMs = heldSince === undefined ? 0 : performance.now() - heldSince;
    return { pins, heldMs: Math.round(heldMs * 1000) / 1000 };
  } catch (error) {
    if (!deadline.aborted || signal?.aborted === true) throw error;
    throw new KeepsakeError("E_SOURCE_BUSY", "The sources could not be held and pinned in time.", { cause: error });
  } finally {
    await disposeAll(holds);
  }
}

const HOLD_GRACE_MS = 5_000;

async function disposeAll(handles: readonly AsyncDisposable[]): Promise<void> {
  const failures: unknown[] = [];
  for (const handle of handles.toReversed()) {
    await Promise.resolve(handle[Symbol.asyncDispose]()).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

function moved(source: string): KeepsakeError {
  return new KeepsakeError("E_SOURCE_CHANGED", `The source ${source} changed while the snapshot was taken.`, {
    context: { source },
    hint: "Try again when the agent writes less, raise cut.attempts, or accept a weaker cut with cut.allow.",
  });
}

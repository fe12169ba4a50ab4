import { setTimeout as sleep } from "node:timers/promises";
import {
  type ArtifactSource,
  type CaptureSession,
  type CutReport,
  isKeepsakeError,
  KeepsakeError,
  type OpOptions,
} from "@keepsake/core";
import type { AgentProfile } from "../workspace.js";
import { type CapturedState, captureState, stateFingerprint } from "./captured-state.js";
import { disposeAll } from "./dispose-all.js";
import { type OpeningOptions, OpenSessions } from "./open-sessions.js";
import { type HeldPins, type Pin, pinHeld } from "./pin-held.js";
import type { PrivateStaging } from "./private-staging.js";

/** How strictly one attempt is made: with writers held, by fences alone, or as well as it goes. */
export type CutMode = CutReport["consistency"];

/** A source whose session is pinned. */
export interface PinnedSource {
  readonly source: ArtifactSource;
  readonly session: CaptureSession;
  /** set when only an unchanged fence proves what `entries` shows */
  readonly fence: string | undefined;
}

/** How often one attempt pins and looks again in the same sessions: what has not moved is not copied again. */
const ROUNDS = 10;

/**
 * One instant over all sources and state values of an agent.
 *
 * Holding alone would not do: notes and repositories cannot be held. Fences alone would not do under load: a busy
 * database never stands still. Together they show one instant: what can be held is pinned while all of it is held, and
 * what cannot be held is shown to be in that moment as it was pinned.
 */
export class Cut implements AsyncDisposable {
  readonly pinned: readonly PinnedSource[];
  readonly state: CapturedState;
  readonly heldMs: number;
  readonly #opened: OpenSessions;
  readonly #strict: boolean;

  private constructor(
    opened: OpenSessions,
    { pinned, state, heldMs }: Pick<Cut, "pinned" | "state" | "heldMs">,
    strict: boolean,
  ) {
    this.#opened = opened;
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
    options: OpeningOptions,
  ): Promise<Cut> {
    const opened = await OpenSessions.open(profile, staging, options);
    try {
      await options.onOpened?.(opened.watched);
      return new Cut(opened, await pinUntilStill(profile, opened, mode, options), mode !== "best_effort");
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
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
    await this.#opened[Symbol.asyncDispose]();
  }
}

/** True for what another attempt may overcome. */
export function isWorthAnotherAttempt(error: unknown): boolean {
  return isKeepsakeError(error, "E_SOURCE_BUSY") || isKeepsakeError(error, "E_SOURCE_CHANGED");
}

async function pinUntilStill(
  profile: AgentProfile,
  opened: OpenSessions,
  mode: CutMode,
  options: OpOptions,
): ReturnType<typeof pinAll> {
  for (let round = 1; ; round++) {
    const paused = await quiesceAll(profile, options);
    try {
      // Usually nothing moves, and writers wait for locks alone. Where something did, they wait for what is small, too.
      const freshens = round > 1 || !opened.canUnpin;
      return await pinAll(profile, opened, { mode, freshens }, options);
    } catch (error) {
      if (round === ROUNDS || !opened.canUnpin || !isKeepsakeError(error, "E_SOURCE_CHANGED")) throw error;
    } finally {
      await disposeAll(paused);
    }
    await opened.unpin(options);
    // Out of step with whoever writes in a rhythm.
    await sleep(Math.random() * 2 * round, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

async function pinAll(
  profile: AgentProfile,
  { all }: OpenSessions,
  { mode, freshens }: { readonly mode: CutMode; readonly freshens: boolean },
  options: OpOptions,
): Promise<Pick<Cut, "pinned" | "state" | "heldMs">> {
  const hold = mode === "instant";
  const target = { agent: profile.ref, paths: profile.paths };
  const sessions = all.map(({ session }) => session);
  const fences = new Map(await fencesBefore(sessions, options));
  // What walks the most comes last among the sessions, and is pinned first: the proof of the others then begins later.
  const beside = sessions.filter((session) => session.hold === undefined).toReversed();
  const pins = new Map<CaptureSession, Pin>();
  for (const session of beside) {
    pins.set(session, await session.pin(options));
    if (mode !== "best_effort" || session.unpin === undefined) continue;
    // No fence is asked whether it moved: what did while it was pinned is pinned again.
    await session.unpin(options);
    pins.set(session, await session.pin(options));
  }
  const stateBefore = await captureState(profile.state, target, options);
  const holdable = sessions.filter((session) => session.hold !== undefined);
  const held = await (hold
    ? pinHeld({ holdable, beside, holdTimeoutMs: profile.cut.holdTimeoutMs, freshens }, options)
    : pinUnheld(holdable, options));
  const state = await captureState(profile.state, target, options);
  for (const [session, pin] of held.pins) pins.set(session, pin);
  const strict = mode !== "best_effort";
  if (strict && stateFingerprint(stateBefore) !== stateFingerprint(state)) throw moved("state");
  for (const { source, session } of all) {
    if (session.pinnedFence !== undefined) fences.set(session, session.pinnedFence());
    // Pinned under a hold it may move on at once. Pinned beside it, nothing but a still fence ties it to that instant.
    const isTied = held.shown.has(session) || (hold && session.hold !== undefined && pins.get(session) === "held");
    if (strict && !isTied && !(await isUnmoved(session, fences.get(session), options))) throw moved(source.id);
  }
  const pinned = all.map(({ source, session }) => ({
    source,
    session,
    fence: pins.get(session) === "held" ? undefined : fences.get(session),
  }));
  return { pinned, state, heldMs: held.heldMs };
}

/** The fingerprints of those who cannot tell afterwards what they pinned. */
function fencesBefore(
  sessions: readonly CaptureSession[],
  options: OpOptions,
): Promise<(readonly [CaptureSession, string | undefined])[]> {
  const blind = sessions.filter((session) => session.pinnedFence === undefined);
  return Promise.all(blind.map(async (session) => [session, await session.fence?.(options)] as const));
}

async function isUnmoved(session: CaptureSession, fence: string | undefined, options: OpOptions): Promise<boolean> {
  if (session.fence === undefined) return true;
  return fence !== undefined && (await session.fence(options)) === fence;
}

async function pinUnheld(sessions: readonly CaptureSession[], options: OpOptions): Promise<HeldPins> {
  const pins = new Map<CaptureSession, Pin>();
  for (const session of sessions) pins.set(session, await session.pin(options));
  return { pins, shown: new Set(), heldMs: 0 };
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

function moved(source: string): KeepsakeError {
  return new KeepsakeError("E_SOURCE_CHANGED", `The source ${source} changed while the snapshot was taken.`, {
    context: { source },
    hint: "Try again when the agent writes less, raise cut.attempts, or accept a weaker cut with cut.allow.",
  });
}

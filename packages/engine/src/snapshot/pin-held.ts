import { performance } from "node:perf_hooks";
import { type CaptureSession, KeepsakeError, type OpOptions } from "@keepsake/core";
import { disposeAll } from "./dispose-all.js";

/** What a pin guarantees. */
export type Pin = Awaited<ReturnType<CaptureSession["pin"]>>;

/** What was pinned while writers were held. */
export interface HeldPins {
  readonly pins: ReadonlyMap<CaptureSession, Pin>;
  /** sessions that were shown, within the hold, to be pinned as they were in it */
  readonly shown: ReadonlySet<CaptureSession>;
  readonly heldMs: number;
}

/** The sessions by what is done to them. */
export interface HoldOrder {
  /** to be held and pinned, in their order */
  readonly holdable: readonly CaptureSession[];
  /** pinned before, since they cannot be held */
  readonly beside: readonly CaptureSession[];
  readonly holdTimeoutMs: number;
  /** whether what is pinned beside is brought up to the moment of the hold, while writers wait */
  readonly freshens: boolean;
}

/** How long writers may wait for all that is pinned beside them to be brought up to the moment of the hold. */
const FRESHEN_MS = 4;
const HOLD_GRACE_MS = 5_000;

/**
 * Holds all in their order, pins all, releases all; a hold that is not released in time is a writer that fails.
 *
 * What cannot be held has usually just been written by whoever was waited for, and that writer writes on as soon as it is
 * let go. So where asked for, while it waits, what is small is brought up to date, and then looked at: a writer that has a
 * database locked for as long as it writes its notes and commits need not pause for a snapshot at all.
 */
export async function pinHeld(
  { holdable, beside, holdTimeoutMs, freshens }: HoldOrder,
  { signal }: OpOptions,
): Promise<HeldPins> {
  const deadline = AbortSignal.timeout(holdTimeoutMs * (holdable.length + 1) + HOLD_GRACE_MS);
  const options = { signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]) };
  const pins = new Map<CaptureSession, Pin>();
  const holds: AsyncDisposable[] = [];
  let heldSince: number | undefined;
  try {
    for (const session of holdable) {
      const handle = await session.hold?.({ ...options, timeoutMs: holdTimeoutMs });
      heldSince ??= performance.now();
      if (handle !== undefined) holds.push(handle);
    }
    for (const session of holdable) pins.set(session, await session.pin(options));
    const isToFreshen = freshens && holds.length > 0;
    const shown = isToFreshen ? await bringUpToDate(beside, options) : new Set<CaptureSession>();
    await disposeAll(holds);
    const heldMs = heldSince === undefined ? 0 : performance.now() - heldSince;
    return { pins, shown, heldMs: Math.round(heldMs * 1000) / 1000 };
  } catch (error) {
    if (!deadline.aborted || signal?.aborted === true) throw error;
    throw new KeepsakeError("E_SOURCE_BUSY", "The sources could not be held and pinned in time.", { cause: error });
  } finally {
    await disposeAll(holds);
  }
}

/**
 * First all are freshened, then all are looked at: between the last of the one and the first of the other lies a moment
 * that every one of them shows.
 */
async function bringUpToDate(
  sessions: readonly CaptureSession[],
  options: OpOptions,
): Promise<ReadonlySet<CaptureSession>> {
  const until = performance.now() + FRESHEN_MS;
  const fresh: CaptureSession[] = [];
  for (const session of sessions) {
    const withinMs = until - performance.now();
    if (withinMs > 0 && (await session.freshen?.({ ...options, withinMs })) === true) fresh.push(session);
  }
  const shown = new Set<CaptureSession>();
  for (const session of fresh) {
    // Whoever is not looked at in time is looked at afterwards, as what was not freshened is.
    if (performance.now() > until) break;
    const pinned = session.pinnedFence?.();
    if (pinned !== undefined && (await session.fence?.(options)) === pinned) shown.add(session);
  }
  return shown;
}

import type { LockManager } from "@keepsake/core";
import { SYSTEM_TIME, type Time } from "../time.js";
import { type LockEvent, observedLocks } from "./observed-locks.js";

export type { LockEvent } from "./observed-locks.js";

/** Where figures go. What it throws is dropped. */
export interface LockMetricsSink {
  record(event: LockEvent): void;
}

/** Tells `sink` of every call when it has ended, and of every lock when it is held no longer: how it ended, and milliseconds. */
export function withLockMetrics(
  locks: LockManager,
  sink: LockMetricsSink,
  { time = SYSTEM_TIME }: { readonly time?: Time } = {},
): LockManager {
  // A sink gets no names: they are those of agents, and too many for a label.
  return observedLocks(locks, time, ({ name: _name, error: _error, ...event }) => sink.record(event));
}

import type { BundleStore } from "@keepsake/core";
import { observedStore, type StoreEvent } from "./observed.js";
import { SYSTEM_TIME, type Time } from "./time.js";

export type { StoreEvent, StoreOperation } from "./observed.js";

/** Where figures go: counters and histograms of whatever kind. What it throws is dropped. */
export interface MetricsSink {
  record(event: StoreEvent): void;
}

/** Tells `sink` of every call and every reading when it has ended: what, how it ended, bytes and milliseconds. */
export function withMetrics(
  store: BundleStore,
  sink: MetricsSink,
  { time = SYSTEM_TIME }: { readonly time?: Time } = {},
): BundleStore {
  // A sink gets no keys: they are names of agents, and too many for a label.
  return observedStore(store, time, ({ key: _key, error: _error, ...event }) => sink.record(event));
}

import type { BundleStore, Logger } from "@keepsake/core";
import type { Part } from "./part.js";
import type { Places } from "./same-place.js";
import type { StaleNotes } from "./stale-notes.js";

/** The stores that hold copies of each other, and how many of them decide. */
export interface Group {
  /** in the order of the configuration */
  readonly parts: readonly Part[];
  readonly notes: StaleNotes;
  readonly places: Places;
  /** how many have to take an object */
  readonly enough: number;
  readonly stallMs: number;
  readonly logger: Logger;
  /** of several writers of one key exactly one wins there */
  isArbiter(part: Part): boolean;
  /** the parts in the order in which they are read */
  readingOrder(byNearness: readonly Part[]): readonly Part[];
}

/** Whether of several writers of one key exactly one wins there. */
export function isAtomic({ capabilities }: BundleStore): boolean {
  return capabilities.noOverwrite === "atomic";
}

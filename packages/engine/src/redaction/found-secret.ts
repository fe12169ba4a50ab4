import type { ScanFinding } from "../memory-snapshotter.js";

/** A secret that was found, and where, before it is known what is done with it. */
export interface FoundSecret extends Omit<ScanFinding, "mode"> {
  /** how often it stands there; absent: once */
  readonly times?: number;
}

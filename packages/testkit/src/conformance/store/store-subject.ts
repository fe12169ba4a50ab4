import type { BundleStore } from "@keepsake/core";
import type { CrashProgram } from "../crash/crash-program.js";
import type { SubjectFactory } from "../port-case.js";

/** A store to be tested: empty, and used by nobody else. */
export interface StoreSubject {
  readonly store: BundleStore;
  /** The same place opened once more, as after a restart of the program. Null for a store that is not durable. */
  readonly reopen: (() => BundleStore | Promise<BundleStore>) | null;
  /** How another process opens the same place, to be killed at its calls; only for a durable store that is on this disk. */
  readonly crash?: CrashProgram | undefined;
  /**
   * Where all that the store keeps shows, also what the store itself does not: a folder, or a function that gives the names of
   * what is there (objects, unfinished uploads). What a failed `put` leaves is seen in it. Default: the folder of `crash`.
   */
  readonly place?: string | (() => Promise<readonly string[]>) | undefined;
  /** False for a store whose place is the memory of this process. Default true: objects pass through in bounded memory. */
  readonly boundedMemory?: boolean;
}

export type StoreFactory = SubjectFactory<StoreSubject>;

import type { BundleStore } from "@keepsake/core";
import type { SubjectFactory } from "../port-case.js";

/** A store to be tested: empty, and used by nobody else. */
export interface StoreSubject {
  readonly store: BundleStore;
  /** The same place opened once more, as after a restart of the program. Null for a store that is not durable. */
  readonly reopen: (() => BundleStore | Promise<BundleStore>) | null;
  /** False for a store whose place is the memory of this process. Default true: objects pass through in bounded memory. */
  readonly boundedMemory?: boolean;
}

export type StoreFactory = SubjectFactory<StoreSubject>;

import type { LockManager } from "@keepsake/core";
import type { SubjectFactory } from "../port-case.js";

/** Locks to be tested, of which none is held. */
export interface LockSubject {
  readonly locks: LockManager;
  /** Another manager over the same place, as another process or machine has it. Null where there can be none. */
  readonly other: LockManager | null;
  /** Takes a held lock away from its holder, as an expired lease or a removed file does. Null where that cannot be. */
  readonly lose: ((name: string) => void | Promise<void>) | null;
}

export type LockFactory = SubjectFactory<LockSubject>;

import type { LockManager } from "@keepsake/core";
import type { CrashProgram } from "../crash/crash-program.js";
import type { SubjectFactory } from "../port-case.js";

/** How long the lock of a killed process may stay taken. */
export interface CrashWait {
  /** default 0: the death is seen; a manager that goes by leases alone says how long one lasts */
  readonly waitMs?: number;
}

/** Locks to be tested, of which none is held. */
export interface LockSubject {
  readonly locks: LockManager;
  /** Another manager over the same place, as another process or machine has it. Null where there can be none. */
  readonly other: LockManager | null;
  /** How another process opens the same place, to be killed at its calls; only for locks that are on this disk. */
  readonly crash?: (CrashProgram & CrashWait) | undefined;
  /** Takes a held lock away from its holder, as an expired lease or a removed file does. Null where that cannot be. */
  readonly lose: ((name: string) => void | Promise<void>) | null;
}

export type LockFactory = SubjectFactory<LockSubject>;

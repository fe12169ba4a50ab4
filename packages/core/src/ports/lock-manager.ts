import type { HealthFinding } from "./health-finding.js";
import type { OpOptions } from "./options.js";

/** A held lock. Disposing releases it, is idempotent, and never releases somebody else's. */
export interface Lock extends AsyncDisposable {
  readonly name: string;
  /** Fires when the lock was lost (lease expired, file taken away). Reason: KeepsakeError `E_LOCK_LOST`. */
  readonly signal: AbortSignal;
  /** Grows with every acquisition of this name; what is written under an older token is refused. */
  readonly fencingToken: number;
  /** Asks the place of the lock itself, right before a commit. @throws KeepsakeError `E_LOCK_LOST` */
  assertHeld(): Promise<void>;
}

/** Exclusive locks by name, across processes and, where the manager says so, machines. */
export interface LockManager {
  /** "process": the locks hold among those of this process alone; absent: among all that use the same place */
  readonly lifetime?: "process";
  /**
   * Waits until the lock is free, its holder is dead, or time is up.
   *
   * @param name an artifact path: "tenants/<tenant>/<agent>"
   * @throws KeepsakeError `E_LOCKED` after `timeoutMs`, with what is known of the holder in its context
   */
  acquire(name: string, options: OpOptions & { readonly timeoutMs: number }): Promise<Lock>;
  /** Who holds it now, or undefined. */
  holder?(
    name: string,
  ): Promise<{ readonly pid?: number; readonly host?: string; readonly alive: boolean } | undefined>;
  /** As a store's: what the place of the locks really does, and what follows from it. */
  inspect?(options?: OpOptions): Promise<readonly HealthFinding[]>;
}

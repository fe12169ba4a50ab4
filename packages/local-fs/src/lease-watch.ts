import type { LockFile } from "./lock-file.js";
import { livenessOf } from "@keepsake/files/basics";

/** How far clocks of hosts that share a folder may differ, in leases. */
const CLOCK_SKEW_LEASES = 5;

/**
 * Judges whether a lock's holder has given it up or can no longer do so.
 *
 * On this host the process decides: a living one keeps its lock however long it is stopped, a dead one's is free at once. Of
 * another host only the lease can be seen. Clocks of hosts differ, so a lease has run out when it was not renewed for its
 * length as measured here, or when by this host's clock it ended so long ago that the clocks cannot differ as much.
 */
export class LeaseWatch {
  readonly #defaultLeaseMs: number;
  #seen: { readonly nonce: string | undefined; readonly leaseEndsAtMs: number; readonly sinceMs: number } | undefined;

  constructor(defaultLeaseMs: number) {
    this.#defaultLeaseMs = defaultLeaseMs;
  }

  /** True when the lock may be claimed. Asked again and again by one that waits. */
  isFree(file: LockFile): boolean {
    if (file.isReleased) return true;
    const liveness = file.holder === undefined ? "unknown" : livenessOf(identityOf(file.holder));
    return liveness === "unknown" ? this.#hasRunOut(file) : liveness === "dead";
  }

  #hasRunOut({ holder, leaseEndsAtMs }: LockFile): boolean {
    const leaseMs = holder?.lease_ms ?? this.#defaultLeaseMs;
    if (Date.now() > leaseEndsAtMs + CLOCK_SKEW_LEASES * leaseMs) return true;
    const now = performance.now();
    if (this.#seen?.nonce !== holder?.nonce || this.#seen?.leaseEndsAtMs !== leaseEndsAtMs) {
      this.#seen = { nonce: holder?.nonce, leaseEndsAtMs, sinceMs: now };
    }
    return now - this.#seen.sinceMs > leaseMs;
  }
}

/** True for a holder that runs, as far as can be told from here at a glance. */
export function seemsAlive({ holder, leaseEndsAtMs, isReleased }: LockFile): boolean {
  if (isReleased) return false;
  const liveness = holder === undefined ? "unknown" : livenessOf(identityOf(holder));
  return liveness === "unknown" ? Date.now() <= leaseEndsAtMs : liveness === "alive";
}

function identityOf(holder: NonNullable<LockFile["holder"]>) {
  return { host: holder.host, pid: holder.pid, startedAt: holder.started_at };
}

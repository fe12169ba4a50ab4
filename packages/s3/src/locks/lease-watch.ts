import type { ServerClock } from "../connection/server-clock.js";
import { hasEnded, type SeenLease } from "./lease.js";

/** Times of the server come in whole seconds, and its parts may differ by some. */
const ROUNDING_MS = 5_000;

/**
 * Judges whether a lock's holder has given it up or can no longer keep it.
 *
 * A lease has run out when the object did not change for its length as measured here, without any clock of another machine.
 * At first sight it has when both the server's clock and this machine's say so: either alone may be wrong by hours, and a
 * living holder would lose its lock.
 */
export class LeaseWatch {
  readonly #clock: ServerClock;
  #seen: { readonly etag: string; readonly sinceMs: number } | undefined;

  constructor(clock: ServerClock) {
    this.#clock = clock;
  }

  /** True when the lock may be claimed. Asked again and again by one that waits. */
  isFree(seen: SeenLease): boolean {
    return seen.lease.released || hasEnded(seen.lease) || this.#hasRunOut(seen);
  }

  #hasRunOut({ lease, etag, modifiedAtMs }: SeenLease): boolean {
    const endsAtMs = modifiedAtMs + lease.lease_ms + ROUNDING_MS;
    const serverMs = this.#clock.now();
    if (serverMs !== undefined && serverMs > endsAtMs && Date.now() > endsAtMs) return true;
    const now = performance.now();
    if (this.#seen?.etag !== etag) this.#seen = { etag, sinceMs: now };
    return now - this.#seen.sinceMs > lease.lease_ms;
  }
}

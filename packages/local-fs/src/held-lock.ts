import { fromSystemError, isKeepsakeError, KeepsakeError, type Lock } from "@keepsake/core";
import type { Claim, LockChain } from "./lock-chain.js";
import { markReleased, setLease } from "./lock-file.js";

/**
 * A lock that this process holds. Three times in a lease it looks whether it still does, and renews the lease.
 *
 * A lease that ran out is never renewed: whoever waits elsewhere may be taking the lock over at this very moment. So a
 * process that was stopped, or whose event loop was blocked, for longer than the lease has lost its lock.
 */
export class HeldLock implements Lock {
  readonly name: string;
  readonly fencingToken: number;
  readonly #chain: LockChain;
  readonly #claim: Claim;
  readonly #leaseMs: number;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #leaseEndsAtMs: number;
  #released: Promise<void> | undefined;

  constructor(name: string, chain: LockChain, claim: Claim, leaseMs: number) {
    this.name = name;
    this.fencingToken = claim.token;
    this.#chain = chain;
    this.#claim = claim;
    this.#leaseMs = leaseMs;
    this.#leaseEndsAtMs = claim.leaseEndsAtMs;
    this.#timer = setInterval(() => void this.#heartbeat(), leaseMs / 3).unref();
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async assertHeld(): Promise<void> {
    this.#throwIfGone();
    try {
      await this.#renew();
    } catch (error) {
      this.#throwIfGone();
      throw fromSystemError(error, `The lock ${JSON.stringify(this.name)} could not be looked at`, { lock: this.name });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #heartbeat(): Promise<void> {
    try {
      await this.#renew();
    } catch (error) {
      // What failed once may succeed next time; until the lease ends nobody takes the lock.
      if (isKeepsakeError(error, "E_LOCK_LOST") || Date.now() < this.#leaseEndsAtMs) return;
      this.#lose("its lease could not be renewed", error);
    }
  }

  async #renew(): Promise<void> {
    this.#loseIfRunOut();
    const endsAtMs = Date.now() + this.#leaseMs;
    await setLease(this.#claim.handle, endsAtMs);
    // After renewing: whoever took the lock over before that is seen here.
    if (!(await this.#chain.isNewest(this.#claim))) throw this.#lose("somebody else has taken it");
    this.#loseIfRunOut();
    this.#leaseEndsAtMs = endsAtMs;
  }

  #loseIfRunOut(): void {
    if (Date.now() >= this.#leaseEndsAtMs) throw this.#lose("its lease ran out");
  }

  #lose(why: string, cause?: unknown): KeepsakeError {
    const error = new KeepsakeError("E_LOCK_LOST", `The lock ${JSON.stringify(this.name)} was lost: ${why}.`, {
      ...(cause === undefined ? {} : { cause }),
      context: { lock: this.name, fencing_token: this.fencingToken },
    });
    clearInterval(this.#timer);
    if (this.#released === undefined) this.#lost.abort(error);
    return error;
  }

  #throwIfGone(): void {
    this.#lost.signal.throwIfAborted();
    if (this.#released === undefined) return;
    throw new KeepsakeError("E_LOCK_LOST", `The lock ${JSON.stringify(this.name)} was released.`, {
      context: { lock: this.name, fencing_token: this.fencingToken },
    });
  }

  async #release(): Promise<void> {
    clearInterval(this.#timer);
    const { handle } = this.#claim;
    try {
      // Held by a process that lives, it would be stuck for as long: what failed one way may succeed the other.
      await markReleased(handle).catch(() => this.#chain.withdraw(this.#claim));
    } catch (error) {
      throw fromSystemError(error, `The lock ${JSON.stringify(this.name)} could not be released`, { lock: this.name });
    } finally {
      await handle.close();
    }
  }
}

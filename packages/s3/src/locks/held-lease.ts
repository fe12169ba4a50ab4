import { isKeepsakeError, KeepsakeError, type Lock, type Logger } from "@keepsake/core";
import type { LeaseObjects } from "./lease-objects.js";
import type { Lease } from "./lease.js";

/** An acquisition that the server granted. */
export interface GrantedLease {
  readonly lease: Lease;
  readonly etag: string;
  /** when the call that was granted was begun */
  readonly grantedAt: Moment;
}

/** One moment by two clocks: one stands still while the machine sleeps, the other can be set. */
export interface Moment {
  readonly wallMs: number;
  readonly steadyMs: number;
}

export function thisMoment(): Moment {
  return { wallMs: Date.now(), steadyMs: performance.now() };
}

const RELEASE_LIMIT_MS = 15_000;

/**
 * A lock that this process holds. Three times in a lease it renews the lease, on the condition that the object is still as
 * it left it.
 *
 * A lease counts from before the call that renewed it, so that it ends here before it ends for anybody who waits. One that
 * ran out is never renewed, though nobody may have taken it: what was done meanwhile had no protection.
 */
export class HeldLease implements Lock {
  readonly name: string;
  readonly fencingToken: number;
  readonly #objects: LeaseObjects;
  readonly #logger: Logger | undefined;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #runOut: NodeJS.Timeout | undefined;
  #held: GrantedLease;
  #renewing: Promise<void> | undefined;
  #released: Promise<void> | undefined;

  constructor(name: string, objects: LeaseObjects, granted: GrantedLease, logger: Logger | undefined) {
    this.name = name;
    this.fencingToken = granted.lease.token;
    this.#objects = objects;
    this.#logger = logger;
    this.#held = granted;
    this.#timer = setInterval(() => void this.#heartbeat(), granted.lease.lease_ms / 3).unref();
    this.#watchEnd();
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async assertHeld(): Promise<void> {
    this.#throwIfGone();
    // One that was begun before this question does not answer it.
    await this.#renewing?.catch(() => undefined);
    this.#throwIfGone();
    try {
      await this.#renewOnce();
    } catch (error) {
      this.#throwIfGone();
      throw error;
    }
    this.#throwIfGone();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #heartbeat(): Promise<void> {
    try {
      await this.#renewOnce();
    } catch (error) {
      // What failed once may succeed next time; until the lease ends nobody takes the lock.
      if (!isKeepsakeError(error, "E_LOCK_LOST"))
        this.#logger?.debug("a lock could not be renewed", { lock: this.name });
    }
  }

  /** One at a time: two would each count on the object that the other changes. */
  #renewOnce(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined));
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    this.#loseIfRunOut();
    const grantedAt = thisMoment();
    const lease = { ...this.#held.lease, renewal: this.#held.lease.renewal + 1 };
    const signal = AbortSignal.timeout(Math.ceil(lease.lease_ms));
    const etag = await this.#objects.write(this.name, lease, this.#held.etag, { signal }).catch((error: unknown) => {
      throw signal.aborted ? this.#unanswered(error) : error;
    });
    if (etag === undefined) throw this.#lose("somebody else has taken it");
    this.#held = { lease, etag, grantedAt };
    this.#loseIfRunOut();
    this.#watchEnd();
  }

  /** The signal fires when the lease ends, also while a renewal waits for an answer. */
  #watchEnd(): void {
    clearTimeout(this.#runOut);
    if (this.#released !== undefined || this.#lost.signal.aborted) return;
    const leftMs = this.#held.lease.lease_ms - this.#ageMs();
    this.#runOut = setTimeout(
      () => {
        if (this.#hasRunOut()) this.#lose("its lease could not be renewed");
        else this.#watchEnd();
      },
      Math.max(1, leftMs),
    ).unref();
  }

  #ageMs(): number {
    const { grantedAt } = this.#held;
    const now = thisMoment();
    // Whichever clock says more: a lock that is given up too early does no harm.
    return Math.max(now.wallMs - grantedAt.wallMs, now.steadyMs - grantedAt.steadyMs);
  }

  #hasRunOut(): boolean {
    return this.#ageMs() >= this.#held.lease.lease_ms;
  }

  #loseIfRunOut(): void {
    if (this.#hasRunOut()) throw this.#lose("its lease ran out");
  }

  #lose(why: string): KeepsakeError {
    const error = new KeepsakeError("E_LOCK_LOST", `The lock ${JSON.stringify(this.name)} was lost: ${why}.`, {
      context: { lock: this.name, fencing_token: this.fencingToken },
    });
    this.#stop();
    if (this.#released === undefined && !this.#lost.signal.aborted) this.#lost.abort(error);
    return error;
  }

  #unanswered(cause: unknown): KeepsakeError {
    return new KeepsakeError(
      "E_IO",
      `The lock ${JSON.stringify(this.name)} could not be looked at: no answer in time.`,
      {
        cause,
        context: { lock: this.name },
      },
    );
  }

  #throwIfGone(): void {
    this.#lost.signal.throwIfAborted();
    if (this.#released === undefined) return;
    throw new KeepsakeError("E_LOCK_LOST", `The lock ${JSON.stringify(this.name)} was released.`, {
      context: { lock: this.name, fencing_token: this.fencingToken },
    });
  }

  #stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#runOut);
  }

  /** A server that cannot be reached now does not undo what was done under the lock: the lease ends by itself. */
  async #release(): Promise<void> {
    this.#stop();
    await this.#renewing?.catch(() => undefined);
    this.#stop();
    if (this.#lost.signal.aborted) return;
    const { lease, etag } = this.#held;
    const signal = AbortSignal.timeout(RELEASE_LIMIT_MS);
    try {
      await this.#objects.write(this.name, { ...lease, renewal: lease.renewal + 1, released: true }, etag, { signal });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger?.warn("a lock could not be released; it is free when its lease ends", { lock: this.name, reason });
    }
  }
}

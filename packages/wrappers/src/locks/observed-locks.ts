import { isKeepsakeError, type Lock, type LockManager } from "@keepsake/core";
import type { StoreEvent } from "../observed.js";
import type { Time } from "../time.js";
import { type LockCall, type LockOperation, wrapLocks } from "./wrap-locks.js";

/** Something that locks have done; "held" is the time between a lock's being got and its release or loss. */
export interface LockEvent {
  readonly operation: LockOperation | "held";
  /** "stopped": by the caller's signal; "defect": failed with what is no error of ours */
  readonly outcome: StoreEvent["outcome"];
  readonly milliseconds: number;
}

/** An event, of which lock, and what it failed with. */
export interface ObservedLockEvent extends LockEvent {
  readonly name: string | undefined;
  readonly error: unknown;
}

/** Tells of every call when it has ended, and of every lock when it is held no longer. */
export function observedLocks(locks: LockManager, time: Time, tell: (event: ObservedLockEvent) => void): LockManager {
  function told(event: ObservedLockEvent): void {
    try {
      tell(event);
    } catch {
      // Whoever watches must not make a snapshot fail.
    }
  }

  async function around<T>({ operation, name, signal, run }: LockCall<T>): Promise<T> {
    const startedAt = time.now();
    const end = (outcome: LockEvent["outcome"], error?: unknown): void =>
      told({ operation, outcome, milliseconds: time.now() - startedAt, name, error });
    try {
      const result = await run();
      end("ok");
      return result;
    } catch (error) {
      end(signal?.aborted === true ? "stopped" : isKeepsakeError(error) ? error.code : "defect", error);
      throw error;
    }
  }

  function watched(lock: Lock): Lock {
    const { name, fencingToken, signal } = lock;
    const gotAt = time.now();
    let isOver = false;
    const over = (outcome: LockEvent["outcome"], error?: unknown): void => {
      signal.removeEventListener("abort", lost);
      if (!isOver) told({ operation: "held", outcome, milliseconds: time.now() - gotAt, name, error });
      isOver = true;
    };
    const lost = (): void => over("E_LOCK_LOST", signal.reason);
    signal.addEventListener("abort", lost, { once: true });
    return {
      name,
      fencingToken,
      signal,
      assertHeld: () => lock.assertHeld(),
      async [Symbol.asyncDispose]() {
        over("ok");
        await lock[Symbol.asyncDispose]();
      },
    };
  }

  return wrapLocks(locks, { around, got: watched });
}

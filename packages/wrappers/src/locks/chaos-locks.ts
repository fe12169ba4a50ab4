import { KeepsakeError, type Lock, type LockManager } from "@keepsake/core";
import { Chances } from "../chances.js";
import { SYSTEM_TIME, type Time } from "../time.js";
import { type LockCall, wrapLocks } from "./wrap-locks.js";

/** How often what goes wrong with locks, each from 0 (never, the default) to 1 (always). */
export interface LockChaosRates {
  /** the call fails, and nothing was done */
  readonly before?: number;
  /** the call does its work, and fails: its answer was lost. A lock that was got so is free again, as after its lease */
  readonly after?: number;
  /** a lock is lost when it is asked whether it is held: its signal fires */
  readonly lose?: number;
  /** a call waits, up to `maxDelayMs` */
  readonly delay?: number;
}

/** What goes wrong with locks. */
export interface LockChaosOptions {
  /** the same seed does the same to the same calls */
  readonly seed: number | string;
  readonly rates: LockChaosRates;
  /** default 10 */
  readonly maxDelayMs?: number;
  /** default: that of this machine */
  readonly time?: Time;
}

/** Locks with which things go wrong by chance, for tests. Two never hold one lock; who has lost one in truth has it still. */
export function chaosLocks(locks: LockManager, options: LockChaosOptions): LockManager {
  const { seed, rates, maxDelayMs = 10, time = SYSTEM_TIME } = options;
  const chances = new Chances(seed);
  const trouble = (operation: string, what: string): KeepsakeError =>
    new KeepsakeError("E_IO", `Chaos: ${operation} ${what}.`, { context: { operation, chaos: what } });

  async function around<T>(call: LockCall<T>): Promise<T> {
    const { operation, name = "", signal } = call;
    signal?.throwIfAborted();
    const chance = chances.of(operation, name);
    if (chance("delay") < (rates.delay ?? 0)) await time.sleep(chance("delay for") * maxDelayMs, signal);
    if (chance("before") < (rates.before ?? 0)) throw trouble(operation, "failed before it began");
    const result = await call.run();
    if (chance("after") >= (rates.after ?? 0)) return result;
    await call.undo(result);
    throw trouble(operation, "lost its answer");
  }

  return wrapLocks(locks, { around, got: (lock) => losing(lock, chances, rates.lose ?? 0) });
}

function losing(lock: Lock, chances: Chances, rate: number): Lock {
  if (rate === 0) return lock;
  const loss = new AbortController();
  const error = new KeepsakeError("E_LOCK_LOST", `Chaos: the lock ${JSON.stringify(lock.name)} was lost.`, {
    context: { lock: lock.name },
  });
  const { name, fencingToken } = lock;
  return {
    name,
    fencingToken,
    signal: AbortSignal.any([lock.signal, loss.signal]),
    async assertHeld() {
      if (chances.of("lose", name)("lose") < rate) loss.abort(error);
      if (loss.signal.aborted) throw error;
      await lock.assertHeld();
    },
    [Symbol.asyncDispose]: async () => lock[Symbol.asyncDispose](),
  };
}

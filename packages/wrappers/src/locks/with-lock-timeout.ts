import { KeepsakeError, type LockManager } from "@keepsake/core";
import { TimeLimit } from "../time-limit.js";
import { SYSTEM_TIME, type Time } from "../time.js";
import { type LockCall, wrapLocks } from "./wrap-locks.js";

/** How long the place of the locks may take, in milliseconds. */
export interface LockTimeoutOptions {
  /** for each call; of `acquire` beyond what it may wait for the lock */
  readonly callMs: number;
  /** for `inspect`, which is many calls; default ten times `callMs` */
  readonly upkeepMs?: number;
  /** how long a call that was broken off may take to undo what is half-made; default 1,000 */
  readonly graceMs?: number;
  /** default: that of this machine */
  readonly time?: Time;
}

/** The longest time that a timer of Node knows. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Breaks off what takes too long, with an `E_IO` that may be tried again. A lock that comes after it was given up is released:
 * nobody else would. A release that was broken off leaves the lock to its lease.
 */
export function withLockTimeout(locks: LockManager, options: LockTimeoutOptions): LockManager {
  const { callMs, upkeepMs = 10 * callMs, graceMs = 1_000, time = SYSTEM_TIME } = options;
  if (!(callMs > 0 && upkeepMs > 0)) throw new TypeError("A time limit is more than 0 milliseconds.");

  async function around<T>(call: LockCall<T>): Promise<T> {
    const { operation, name, signal, timeoutMs } = call;
    const limitMs = Math.min(LONGEST_MS, timeoutMs + (operation === "inspect" ? upkeepMs : callMs));
    const limit = new TimeLimit({ time, limitMs, graceMs, signal, error: tooSlow(operation, name, limitMs) });
    let running: Promise<T> | undefined;
    try {
      return await limit.hold(() => (running = call.run({ signal: limit.signal })));
    } catch (error) {
      void running?.then(call.undo).catch(() => undefined);
      throw error;
    }
  }

  return wrapLocks(locks, { around });
}

function tooSlow(operation: string, name: string | undefined, limitMs: number): KeepsakeError {
  return new KeepsakeError("E_IO", `The locks did not answer ${operation} within ${String(limitMs)} ms.`, {
    context: { operation, limit_ms: limitMs, ...(name === undefined ? {} : { lock: name }) },
    retry: "temporary",
  });
}

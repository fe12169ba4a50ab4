import { isKeepsakeError, type LockManager } from "@keepsake/core";
import { Retries, type RetryOptions } from "../retry/retries.js";
import { SYSTEM_TIME } from "../time.js";
import { wrapLocks } from "./wrap-locks.js";

export type LockRetryOptions = Omit<RetryOptions, "spoolBytes">;

/**
 * Tries again what failed with an error whose `retry` is "temporary". That a lock is held, or was lost, is an answer and no
 * trouble: it is not asked again, though the operation as a whole may be. All attempts at a lock together wait no longer
 * than one was to.
 *
 * A lock that was got though the answer was lost is waited for like any other's: it is free again when its lease is over.
 */
export function withLockRetry(locks: LockManager, options: LockRetryOptions = {}): LockManager {
  const { time = SYSTEM_TIME } = options;
  const retries = new Retries(options);
  return wrapLocks(locks, {
    async around(call) {
      const attempts = retries.begin(call.signal);
      const startedAt = time.now();
      for (;;) {
        try {
          return await call.run({ lessMs: time.now() - startedAt });
        } catch (error) {
          if (isAnswer(error) || !(await attempts.again(error))) throw error;
        }
      }
    },
  });
}

function isAnswer(error: unknown): boolean {
  return isKeepsakeError(error, "E_LOCKED") || isKeepsakeError(error, "E_LOCK_LOST");
}

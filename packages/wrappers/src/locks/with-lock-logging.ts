import type { Logger, LockManager } from "@keepsake/core";
import { SYSTEM_TIME, type Time } from "../time.js";
import { observedLocks } from "./observed-locks.js";

/** Answers of locks rather than troubles: another one has it. */
const ANSWERS: readonly string[] = ["ok", "stopped", "E_LOCKED"];

/** Logs every call when it has ended, and how long each lock was held: what failed as a warning, the rest for debugging. */
export function withLockLogging(
  locks: LockManager,
  logger: Logger,
  { time = SYSTEM_TIME }: { readonly time?: Time } = {},
): LockManager {
  return observedLocks(locks, time, ({ operation, outcome, milliseconds, name, error }) => {
    const facts = {
      operation,
      outcome,
      milliseconds: Math.round(milliseconds),
      ...(name === undefined ? {} : { lock: name }),
    };
    if (ANSWERS.includes(outcome)) logger.debug("lock", facts);
    else logger.warn("lock", { ...facts, error: error instanceof Error ? error.message : String(error) });
  });
}

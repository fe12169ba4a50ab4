import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fromSystemError, KeepsakeError, type LockManager } from "@keepsake/core";
import { livenessOf } from "@keepsake/files";
import { HeldLock } from "./held-lock.js";
import { type Claim, ClaimFolder } from "./claim-folder.js";

export interface MyLockOptions {
  /** absolute path of a folder; made when it is missing */
  readonly root: string;
}

/**
 * Locks in a folder, for the processes of one machine.
 *
 * Whether a holder is dead is asked of the system, not of a clock, which may jump. A holder on another machine cannot be
 * asked, and keeps its lock until somebody makes the file `<number>.released` beside its claim.
 */
export function myLock({ root }: MyLockOptions): LockManager {
  // Flat, so that the locks "a" and "a/b" have nothing to do with each other.
  const folderOf = (name: string): ClaimFolder => new ClaimFolder(join(root, encodeURIComponent(name)));
  return {
    async acquire(name, { timeoutMs, signal }) {
      signal?.throwIfAborted();
      const folder = folderOf(name);
      const deadline = performance.now() + timeoutMs;
      try {
        await folder.make();
        for (let attempt = 0; ; attempt++) {
          const newest = await folder.newest();
          const number = isFree(newest) ? await folder.claim((newest?.number ?? 0) + 1) : undefined;
          if (number !== undefined) return new HeldLock(name, folder, number);
          const leftMs = deadline - performance.now();
          if (leftMs <= 0) throw locked(name, timeoutMs, newest);
          // Not all at the same time, and less often the longer it takes.
          const waitMs = Math.min(50, 2 ** Math.min(attempt, 6)) * (0.5 + Math.random() / 2);
          await delay(Math.min(waitMs, leftMs));
          signal?.throwIfAborted();
        }
      } catch (error) {
        if (signal?.aborted === true && error === signal.reason) throw error;
        throw fromSystemError(error, `The lock ${name} could not be taken`, { lock: name });
      }
    },

    async holder(name) {
      const newest = await folderOf(name).newest();
      if (newest?.holder === undefined || newest.isReleased) return undefined;
      const { pid, host } = newest.holder;
      return { pid, host, alive: livenessOf(newest.holder) !== "dead" };
    },
  };
}

function isFree(newest: Claim | undefined): boolean {
  if (newest === undefined || newest.isReleased) return true;
  return newest.holder !== undefined && livenessOf(newest.holder) === "dead";
}

function locked(name: string, timeoutMs: number, newest: Claim | undefined): KeepsakeError {
  const { pid = null, host = null } = newest?.holder ?? {};
  return new KeepsakeError("E_LOCKED", `The lock ${name} is held by process ${String(pid ?? "?")}.`, {
    context: { lock: name, timeout_ms: timeoutMs, holder_pid: pid, holder_host: host },
  });
}

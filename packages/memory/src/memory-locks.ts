import { KeepsakeError, type Lock, type LockManager, parseArtifactPath } from "@keepsake/core";

/** Locks within this process, granted in the order they were asked for. */
export interface MemoryLocks extends LockManager {
  /** Takes a held lock away from its holder, as an expired lease would. */
  lose(name: string): void;
}

interface Grant {
  readonly token: number;
  readonly lost: AbortController;
}

/** Locks in memory, with the whole contract of a {@link LockManager}. A holder ends with the process. */
export function memoryLocks(): MemoryLocks {
  const held = new Map<string, Grant>();
  const tokens = new Map<string, number>();
  const waiting = new Map<string, (() => void)[]>();

  function take(name: string): Lock | undefined {
    if (held.has(name)) return undefined;
    const token = (tokens.get(name) ?? 0) + 1;
    const grant = { token, lost: new AbortController() };
    tokens.set(name, token);
    held.set(name, grant);
    return {
      name,
      fencingToken: token,
      signal: grant.lost.signal,
      async assertHeld() {
        if (held.get(name) !== grant) throw lostError(name);
      },
      async [Symbol.asyncDispose]() {
        if (held.get(name) === grant) free(name);
      },
    };
  }

  function free(name: string): void {
    held.delete(name);
    for (const wake of waiting.get(name) ?? []) wake();
  }

  /** Resolves when the lock was freed; rejects when aborted; throws `E_LOCKED` when time is up. */
  async function freed(name: string, deadline: number, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const queue = waiting.get(name) ?? [];
    waiting.set(name, queue);
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        queue.splice(queue.indexOf(wake), 1);
        settle();
      };
      const wake = end(resolve);
      // The signal's reason is passed on as it is.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      const onAbort = end(() => reject(signal?.reason));
      const late = end(() => reject(lockedError(name, timeoutMs)));
      const timer = setTimeout(late, Math.min(2 ** 31 - 1, deadline - performance.now()));
      signal?.addEventListener("abort", onAbort, { once: true });
      queue.push(wake);
    });
  }

  return {
    lifetime: "process",
    async acquire(name, { timeoutMs, signal }) {
      signal?.throwIfAborted();
      parseArtifactPath(name);
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const lock = take(name);
        if (lock !== undefined) return lock;
        await freed(name, deadline, timeoutMs, signal);
      }
    },
    async holder(name) {
      return held.has(name) ? { pid: process.pid, alive: true } : undefined;
    },
    lose(name) {
      held.get(name)?.lost.abort(lostError(name));
      free(name);
    },
  };
}

function lostError(name: string): KeepsakeError {
  return new KeepsakeError("E_LOCK_LOST", `The lock ${JSON.stringify(name)} is not held any more.`, {
    context: { lock: name },
  });
}

function lockedError(name: string, timeoutMs: number): KeepsakeError {
  return new KeepsakeError("E_LOCKED", `The lock ${JSON.stringify(name)} is held.`, {
    context: { lock: name, timeout_ms: timeoutMs, holder_pid: process.pid },
  });
}

import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  errnoOf,
  fromSystemError,
  KeepsakeError,
  type Lock,
  type LockManager,
  type OpOptions,
  parseArtifactPath,
} from "@keepsake/core";
import { DurableFolders } from "./durable-folders.js";
import { HeldLock } from "./held-lock.js";
import { LeaseWatch, seemsAlive } from "./lease-watch.js";
import { type Claim, LockChain } from "./lock-chain.js";
import { type LockFile, markReleased } from "./lock-file.js";

/** Where locks lie and how long they last. */
export interface FileLocksOptions {
  /** a folder; made when it is missing. Relative to the working directory */
  readonly root: string;
  /** how long a holder that is not seen, because it runs on another host, keeps a lock it does not renew; default 60,000 */
  readonly leaseMs?: number;
}

/**
 * Locks in a folder, exclusive among all processes that see it, also from several hosts.
 *
 * A dead process's lock is free at once on its own host and after its lease on another; a living one's is never taken on its
 * own host, though it lose the lock itself when it could not renew its lease in time. Waiting is by looking again.
 */
export function fileLocks({ root: givenRoot, leaseMs = 60_000 }: FileLocksOptions): LockManager {
  if (!(leaseMs > 0)) throw new TypeError("leaseMs must be above 0.");
  const root = resolve(givenRoot);
  const folders = new DurableFolders(root);
  const folderOf = (name: string): string => join(root, `${parseArtifactPath(name)}.lock`);

  async function acquire(name: string, options: OpOptions & { readonly timeoutMs: number }): Promise<Lock> {
    const { timeoutMs, signal } = options;
    signal?.throwIfAborted();
    const folder = folderOf(name);
    const deadline = performance.now() + timeoutMs;
    try {
      await folders.ensure(folder);
      const chain = new LockChain(folder);
      const claim = await waitForClaim(chain, leaseMs, deadline, signal, (file) => locked(name, timeoutMs, file));
      await settle(chain, claim, signal);
      return new HeldLock(name, chain, claim, leaseMs);
    } catch (error) {
      if (signal?.aborted === true && error === signal.reason) throw error;
      throw fromSystemError(error, `The lock ${JSON.stringify(name)} could not be taken`, { lock: name });
    }
  }

  return {
    acquire,
    async holder(name) {
      try {
        const { file } = await new LockChain(folderOf(name)).newest();
        if (file === undefined || file.isReleased) return undefined;
        const { pid, host_name: host } = file.holder ?? {};
        return {
          ...(pid === undefined ? {} : { pid }),
          ...(host === undefined ? {} : { host }),
          alive: seemsAlive(file),
        };
      } catch (error) {
        if (errnoOf(error) === "ENOENT") return undefined;
        throw fromSystemError(error, `The lock ${JSON.stringify(name)} could not be looked at`, { lock: name });
      }
    },
  };
}

async function waitForClaim(
  chain: LockChain,
  leaseMs: number,
  deadline: number,
  signal: AbortSignal | undefined,
  whenLate: (file: LockFile | undefined) => KeepsakeError,
): Promise<Claim> {
  const watch = new LeaseWatch(leaseMs);
  for (let attempt = 0; ; attempt++) {
    const view = await chain.newest();
    const isFree = view.file === undefined || watch.isFree(view.file);
    const claim = isFree ? await chain.claimAfter(view, leaseMs) : undefined;
    if (claim !== undefined) return claim;
    if (performance.now() >= deadline) throw whenLate(view.file);
    await pause(attempt, deadline, signal);
  }
}

/** A claim that is not handed out is given back. */
async function settle(chain: LockChain, claim: Claim, signal: AbortSignal | undefined): Promise<void> {
  try {
    signal?.throwIfAborted();
    await chain.settle(claim);
    signal?.throwIfAborted();
  } catch (error) {
    await markReleased(claim.handle).catch(() => chain.withdraw(claim).catch(() => undefined));
    await claim.handle.close();
    throw error;
  }
}

/** 2 ms at first, 100 ms later, each up to half less, so that those who wait do not look in step. */
async function pause(attempt: number, deadline: number, signal: AbortSignal | undefined): Promise<void> {
  const wanted = Math.min(100, 2 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
  const left = Math.max(0, deadline - performance.now());
  try {
    await delay(Math.min(wanted, left), undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

function locked(name: string, timeoutMs: number, file: LockFile | undefined): KeepsakeError {
  const holder = file?.holder;
  const who = holder === undefined ? "another process" : `process ${String(holder.pid)} on ${holder.host_name}`;
  return new KeepsakeError("E_LOCKED", `The lock ${JSON.stringify(name)} is held by ${who}.`, {
    context: {
      lock: name,
      timeout_ms: timeoutMs,
      ...(holder === undefined ? {} : { holder_pid: holder.pid, holder_host: holder.host_name }),
    },
    hint: "Wait until the other operation has ended, or allow more time with lock.timeout_secs.",
  });
}

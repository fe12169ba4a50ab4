import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { KeepsakeError, type Lock, type LockManager, type OpOptions, parseArtifactPath } from "@keepsake/core";
import type { S3Place } from "./connection/place.js";
import { DEFAULT_TIMEOUT_MS, S3Connection } from "./connection/s3-connection.js";
import { HeldLease, thisMoment } from "./locks/held-lease.js";
import { LeaseObjects } from "./locks/lease-objects.js";
import { LeaseWatch } from "./locks/lease-watch.js";
import { hasEnded, type Lease, newLease } from "./locks/lease.js";
import { inspectLocks } from "./server/inspect-place.js";
import { KnownServer } from "./server/known-server.js";

/** Where locks lie, and how long they last. */
export interface S3LocksOptions extends S3Place {
  /** how long a holder keeps a lock that it does not renew; default 60,000 */
  readonly leaseMs?: number;
}

const MAX_PAUSE_MS = 1_000;
const MIN_PATIENCE_MS = 1_000;

/**
 * Locks in a bucket, exclusive among all machines that use it, as far as the server has conditional writes; without them
 * two can get one lock at the same moment, and `inspect` says so.
 *
 * A lock is an object with a lease. A holder renews it; one that does not for the length of the lease has lost it, wherever
 * it runs, and knows it. A holder on this machine that has ended frees its lock at once. Waiting is by looking again.
 */
export function s3Locks(options: S3LocksOptions): LockManager & AsyncDisposable {
  const { leaseMs = 60_000, timeoutMs = DEFAULT_TIMEOUT_MS, logger } = options;
  if (!(leaseMs > 0)) throw new TypeError("leaseMs must be above 0.");
  // A renewal that meets silence is tried again while the lease still lasts.
  const patienceMs = Math.min(timeoutMs, Math.max(MIN_PATIENCE_MS, leaseMs / 3));
  const connection = new S3Connection({ ...options, timeoutMs: patienceMs });
  const server = new KnownServer(connection, logger);
  const objects = new LeaseObjects(connection, server);

  async function acquire(name: string, given: OpOptions & { readonly timeoutMs: number }): Promise<Lock> {
    const { timeoutMs, signal } = given;
    signal?.throwIfAborted();
    parseArtifactPath(name);
    const deadline = performance.now() + timeoutMs;
    const watch = new LeaseWatch(connection.clock);
    for (let attempt = 0; ; attempt++) {
      const seen = await objects.read(name, { signal });
      if (seen === undefined || watch.isFree(seen)) {
        const lease = newLease((seen?.lease.token ?? 0) + 1, randomUUID(), leaseMs);
        const lock = await claim(name, lease, seen?.etag, signal);
        if (lock !== undefined) return lock;
      }
      if (performance.now() >= deadline) throw locked(name, timeoutMs, seen?.lease);
      await pause(attempt, deadline, signal);
    }
  }

  async function claim(
    name: string,
    lease: Lease,
    expected: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Lock | undefined> {
    const grantedAt = thisMoment();
    const etag = await objects.write(name, lease, expected, { signal });
    if (etag === undefined) return undefined;
    const lock = new HeldLease(name, objects, { lease, etag, grantedAt }, logger);
    if (signal?.aborted !== true) return lock;
    await lock[Symbol.asyncDispose]();
    throw signal.reason;
  }

  return {
    acquire,

    async holder(name) {
      const seen = await objects.read(parseArtifactPath(name), {});
      if (seen === undefined || seen.lease.released) return undefined;
      const { pid, host_name: host, lease_ms } = seen.lease;
      const isRunning = (connection.clock.now() ?? Date.now()) <= seen.modifiedAtMs + lease_ms;
      return { pid, host, alive: isRunning && !hasEnded(seen.lease) };
    },

    inspect: (given = {}) => inspectLocks(connection, server, given),

    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

/** 20 ms at first, a second later, each up to half less, so that those who wait do not ask in step. */
async function pause(attempt: number, deadline: number, signal: AbortSignal | undefined): Promise<void> {
  const wanted = Math.min(MAX_PAUSE_MS, 20 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
  const left = Math.max(0, deadline - performance.now());
  try {
    await delay(Math.min(wanted, left), undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

function locked(name: string, timeoutMs: number, lease: Lease | undefined): KeepsakeError {
  const who = lease === undefined ? "another process" : `process ${String(lease.pid)} on ${lease.host_name}`;
  return new KeepsakeError("E_LOCKED", `The lock ${JSON.stringify(name)} is held by ${who}.`, {
    context: {
      lock: name,
      timeout_ms: timeoutMs,
      ...(lease === undefined ? {} : { holder_pid: lease.pid, holder_host: lease.host_name }),
    },
    hint: "Wait until the other operation has ended, or allow more time with lock.timeout_secs.",
  });
}

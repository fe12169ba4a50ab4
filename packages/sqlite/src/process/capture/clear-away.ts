import { existsSync } from "node:fs";
import { identityOf, lockHolders, ProcessWatch } from "@keepsake/files";
import { isBusy } from "../sqlite-error.js";
import { connect, schemaVersion } from "./connection.js";

/** How long one that seems to be closing is waited for. Only one that does not get to run takes more than some microseconds. */
const LIMIT_MS = 2000;
const LOOK_AGAIN_MS = 1;

/**
 * Clears away a log that two who closed at the same time have left: each took the other for one that stays.
 *
 * SQLite's last connection takes the database for itself, moves the log into it and deletes the log. One that cannot have the
 * database leaves the log, and only then lets go of its own lock: between the two it looks like one that stays. To have found
 * the log locked is therefore not enough: who has the lock is watched until he is seen to go on living after we have closed,
 * for then his own closing is still to come and clears the log away.
 */
export function clearAway(file: string): void {
  const watch = new ProcessWatch();
  const until = performance.now() + LIMIT_MS;
  do {
    const holders = logHolders(file);
    if (holders === undefined) return;
    if (holders.size > 0) {
      // Asked before and after: one that has let go in between may be asleep by now.
      if ([...holders].some((pid) => watch.seesLiving(pid) && logHolders(file)?.has(pid) === true)) return;
      pause();
      continue;
    }
    try {
      openAndClose(file);
    } catch (error) {
      // Gone meanwhile, or replaced by what cannot be read: what is beside it is not of our making.
      if (!isBusy(error)) return;
      pause();
    }
  } while (performance.now() < until);
}

/** True when a log is there that no living connection has. */
export function isLeftLog(file: string): boolean {
  return logHolders(file)?.size === 0;
}

/**
 * The processes that have a database's log; undefined where there is no log. Each locks the database before it makes the log's
 * index, and keeps a lock on both.
 */
function logHolders(file: string): ReadonlySet<number> | undefined {
  const index = identityOf(`${file}-shm`);
  if (index === undefined) return undefined;
  const database = identityOf(file);
  const holders = lockHolders(database === undefined ? [index] : [index, database]);
  // Who clears a log away deletes its index before he lets go of the lock.
  return existsSync(`${file}-wal`) && identityOf(`${file}-shm`)?.ino === index.ino ? holders : undefined;
}

function openAndClose(file: string): void {
  const connection = connect(file, "write");
  try {
    schemaVersion(connection);
  } finally {
    connection.close();
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
}

import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { KeepsakeError } from "@keepsake/core";
import { backupTo, beginReading, connect, endTransaction } from "../capture/connection.js";
import type { WriteThrough } from "../protocol.js";
import { isBusy } from "../sqlite-error.js";

/** How long a writer in the live database is waited for, in milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;
const ALL_PAGES = 0x7fff_ffff;

/** Copies what a live database holds now, so that writing over it can be taken back. */
export async function copyForUndo(live: string, undo: string, signal: AbortSignal): Promise<void> {
  const connection = connect(live, "read");
  try {
    await whileBusy(live, signal, () => {
      beginReading(connection);
      return true;
    });
    await backupTo(connection, undo, signal);
  } finally {
    endTransaction(connection);
    connection.close();
  }
  fsyncPath(undo, "r+");
}

/**
 * Gives live databases the staged content through SQLite, one transaction each: whoever has one open sees the old rows
 * until it is done, and the staged ones from then on.
 */
export async function writeThrough(steps: readonly WriteThrough[], signal: AbortSignal): Promise<null> {
  for (const { live, staged, begun } of steps) {
    signal.throwIfAborted();
    // Done before: whoever has it open may have written since.
    if (existsSync(doneMark(begun))) continue;
    mark(begun);
    await pour(staged, live, signal);
    mark(doneMark(begun));
  }
  return null;
}

/** Takes {@link writeThrough} back where it had begun. */
export async function undoWriteThrough(steps: readonly WriteThrough[], signal: AbortSignal): Promise<null> {
  for (const { live, undo, begun } of steps.toReversed()) {
    if (!existsSync(begun)) continue;
    await pour(undo, live, signal);
    rmSync(doneMark(begun), { force: true });
    rmSync(begun);
    fsyncPath(dirname(begun), "r");
  }
  return null;
}

function doneMark(begun: string): string {
  return `${begun}.done`;
}

async function pour(from: string, to: string, signal: AbortSignal): Promise<void> {
  const source = connect(from, "read");
  try {
    await whileBusy(to, signal, async () => {
      const { totalPages } = await source.backup(to, { progress: () => ALL_PAGES });
      // Measured: when the first step finds another connection in the way, the backup "succeeds" with no page copied.
      return totalPages > 0;
    });
  } finally {
    source.close();
  }
  // The backup's own connection does not wait for the disk when it commits to a log.
  for (const file of [to, `${to}-wal`]) if (existsSync(file)) fsyncPath(file, "r+");
}

/** Tries until it is done: the backup's own connection does not wait for others, so waiting is ours. */
async function whileBusy(live: string, signal: AbortSignal, attempt: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    signal.throwIfAborted();
    try {
      if (await attempt()) return;
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
    if (performance.now() >= deadline) {
      throw new KeepsakeError("E_SOURCE_BUSY", `The database ${live} stays locked by another process.`, {
        context: { database: live, waited_ms: BUSY_TIMEOUT_MS },
        hint: "Try again when its transaction has ended.",
      });
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

const RETRY_MS = 10;

function mark(file: string): void {
  const fd = openSync(file, "w", 0o600);
  try {
    writeSync(fd, "begun\n");
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  fsyncPath(dirname(file), "r");
}

/** Makes a file, or the names in a folder, survive a power cut. */
export function fsyncPath(path: string, flags: "r" | "r+"): void {
  const fd = openSync(path, flags);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

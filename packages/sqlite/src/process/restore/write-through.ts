import { closeSync, existsSync, fsyncSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type Database from "better-sqlite3";
import { connect } from "../capture/connection.js";
import type { WriteThrough } from "../protocol.js";
import { isBusy } from "../sqlite-error.js";

/** How long a writer in the live database is waited for, in milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;
const ALL_PAGES = 0x7fff_ffff;

/** Copies what a live database holds now, so that writing over it can be taken back. */
export async function copyForUndo(live: string, undo: string): Promise<void> {
  const connection = connect(live, "read");
  try {
    await connection.backup(undo, { progress: () => ALL_PAGES });
  } finally {
    connection.close();
  }
  fsync(undo, "r+");
}

/**
 * Gives live databases the staged content through SQLite, one transaction each: whoever has one open sees the old rows
 * until it is done, and the staged ones from then on.
 */
export async function writeThrough(steps: readonly WriteThrough[], signal: AbortSignal): Promise<null> {
  for (const { live, staged, begun } of steps) {
    signal.throwIfAborted();
    mark(begun);
    await pour(staged, live);
  }
  return null;
}

/** Takes {@link writeThrough} back where it had begun. */
export async function undoWriteThrough(steps: readonly WriteThrough[]): Promise<null> {
  for (const { live, undo, begun } of steps) if (existsSync(begun)) await pour(undo, live);
  return null;
}

async function pour(from: string, to: string): Promise<void> {
  const source = connect(from, "read");
  try {
    await retryBusy(() => source.backup(to, { progress: () => ALL_PAGES }));
  } finally {
    source.close();
  }
}

/** The backup's own connection to the live database does not wait for a writer: waiting is ours. */
async function retryBusy(attempt: () => Promise<Database.BackupMetadata>): Promise<void> {
  const deadline = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
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
  fsync(dirname(file), "r");
}

function fsync(path: string, flags: "r" | "r+"): void {
  const fd = openSync(path, flags);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

import { statSync } from "node:fs";
import type BetterSqlite from "better-sqlite3";
import { Database, prepared } from "../better-sqlite.js";
import { HEADER_BYTES, SCHEMA_COOKIE_OFFSET, writeUint32 } from "../header.js";

/** Pages per step: 4 MiB of a usual database, between two looks at the abort signal. */
const STEP_PAGES = 1024;

const CACHE_KIB = 1024;

/** Opens an existing database; nothing is read yet. */
export function connect(file: string, mode: "read" | "write"): BetterSqlite.Database {
  return new Database(file, { readonly: mode === "read", fileMustExist: true, timeout: 0 });
}

/** Changes whenever another connection has committed. Writers are waited for with it, so it is asked very often. */
export function dataVersion(connection: BetterSqlite.Database): unknown {
  return prepared(connection, "PRAGMA data_version").pluck().get();
}

/** Reads the database's first page: with it a connection begins to count for others, and a transaction fixes its view. */
export function schemaVersion(connection: BetterSqlite.Database): number {
  return prepared(connection, "PRAGMA schema_version").pluck().get() as number;
}

/** Begins a transaction and fixes its view. A pragma needs no schema, which may name what is not known here. */
export function beginReading(connection: BetterSqlite.Database): void {
  connection.exec("BEGIN");
  try {
    schemaVersion(connection);
  } catch (error) {
    endTransaction(connection);
    throw error;
  }
}

/** Rolls back what is open, if anything is. */
export function endTransaction(connection: BetterSqlite.Database | undefined): void {
  if (connection?.inTransaction === true) connection.exec("ROLLBACK");
}

/** How often a copy may begin anew because the database was changed under it. */
const MAX_RESTARTS = 3;

/** What {@link backupTo} throws when writers are too quick for a copy without a lock. */
export class ChangedWhileCopied extends Error {}

/** A copy reads each page once: of the 16 MB that a connection would keep none is asked for again. */
function keepFewPages(connection: BetterSqlite.Database): void {
  try {
    connection.pragma(`cache_size = -${String(CACHE_KIB)}`);
  } catch {
    // It reads the schema, which may be of a later version, or damaged: the copy will tell.
  }
}

/** The online backup of what the connection sees, in steps between which other work goes on. */
export async function backupTo(connection: BetterSqlite.Database, target: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let left = Number.POSITIVE_INFINITY;
  let restarts = 0;
  const cookie = schemaVersion(connection);
  keepFewPages(connection);
  const { totalPages } = await connection.backup(target, {
    progress: ({ remainingPages }) => {
      signal.throwIfAborted();
      if (remainingPages > left && ++restarts > MAX_RESTARTS) throw new ChangedWhileCopied();
      left = remainingPages;
      return STEP_PAGES;
    },
  });
  // What it has read stays in memory for as long as it is open.
  prepared(connection, "PRAGMA shrink_memory").run();
  // Measured: a backup whose first step finds a writer in the way "succeeds", with no page copied.
  if (totalPages === 0) throw new ChangedWhileCopied();
  // The backup counts the schema cookie of its target anew; the copy is to be what the original is.
  if (statSync(target).size >= HEADER_BYTES) writeUint32(target, SCHEMA_COOKIE_OFFSET, cookie);
}

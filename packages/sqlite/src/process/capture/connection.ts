import { statSync } from "node:fs";
import Database from "better-sqlite3";
import { HEADER_BYTES, SCHEMA_COOKIE_OFFSET, writeUint32 } from "../header.js";

/** Pages per step: 4 MiB of a usual database, between two looks at the abort signal. */
const STEP_PAGES = 1024;

/** Opens an existing database; nothing is read yet. */
export function connect(file: string, mode: "read" | "write"): Database.Database {
  return new Database(file, { readonly: mode === "read", fileMustExist: true, timeout: 0 });
}

/** Begins a transaction and fixes its view. A pragma needs no schema, which may name what is not known here. */
export function beginReading(connection: Database.Database): void {
  connection.exec("BEGIN");
  try {
    connection.pragma("schema_version");
  } catch (error) {
    endTransaction(connection);
    throw error;
  }
}

/** Rolls back what is open, if anything is. */
export function endTransaction(connection: Database.Database | undefined): void {
  if (connection?.inTransaction === true) connection.exec("ROLLBACK");
}

/** How often a copy may begin anew because the database was changed under it. */
const MAX_RESTARTS = 3;

/** What {@link backupTo} throws when writers are too quick for a copy without a lock. */
export class ChangedWhileCopied extends Error {}

/** The online backup of what the connection sees, in steps between which other work goes on. */
export async function backupTo(connection: Database.Database, target: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let left = Number.POSITIVE_INFINITY;
  let restarts = 0;
  const cookie = connection.pragma("schema_version", { simple: true }) as number;
  const { totalPages } = await connection.backup(target, {
    progress: ({ remainingPages }) => {
      signal.throwIfAborted();
      if (remainingPages > left && ++restarts > MAX_RESTARTS) throw new ChangedWhileCopied();
      left = remainingPages;
      return STEP_PAGES;
    },
  });
  // Measured: a backup whose first step finds a writer in the way "succeeds", with no page copied.
  if (totalPages === 0) throw new ChangedWhileCopied();
  // The backup counts the schema cookie of its target anew; the copy is to be what the original is.
  if (statSync(target).size >= HEADER_BYTES) writeUint32(target, SCHEMA_COOKIE_OFFSET, cookie);
}

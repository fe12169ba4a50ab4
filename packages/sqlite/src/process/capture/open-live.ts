import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { HEADER_BYTES, isFilledJournal, isWalHeader, readStart } from "../header.js";
import { isBusy, isLeftInTransaction } from "../sqlite-error.js";
import { beginReading, connect, endTransaction } from "./connection.js";
import type { LiveDatabase } from "./live-database.js";
import { RollbackDatabase } from "./rollback-database.js";
import { UnlockedDatabase } from "./unlocked-database.js";
import { WalDatabase } from "./wal-database.js";

/** Chooses how a database can be read without changing it. @param pinBudget bytes whose writers may wait for a copy */
export function openLive(file: string, pinBudget: number): LiveDatabase {
  // A database without pages is a file without bytes; a backup would give it one.
  if (statSync(file).size === 0) return new UnlockedDatabase(file);
  // better-sqlite3 cuts white space off the ends of a name.
  if (file.trim() !== file) return new UnlockedDatabase(file);
  if (isWalHeader(readStart(file, HEADER_BYTES))) {
    return canUseLog(file) ? new WalDatabase(file) : new UnlockedDatabase(file);
  }
  if (isLeftMidway(file)) return new UnlockedDatabase(file);
  const isPinnable = statSync(file).size <= pinBudget;
  return new RollbackDatabase(file, { isPinnable, isWritable: isWritable(file) && isWritable(dirname(file)) });
}

/** A log needs its index beside it, and both need to be writable; a log without an index would be left with a new one. */
function canUseLog(file: string): boolean {
  const log = existsSync(`${file}-wal`);
  const index = existsSync(`${file}-shm`);
  if (log !== index) return false;
  return [file, dirname(file), ...(log ? [`${file}-wal`, `${file}-shm`] : [])].every(isWritable);
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** True when a killed writer's journal would have to be rolled back; a living writer's is no obstacle. */
function isLeftMidway(file: string): boolean {
  if (!isFilledJournal(`${file}-journal`)) return false;
  const reader = connect(file, "read");
  try {
    beginReading(reader);
    return false;
  } catch (error) {
    if (isBusy(error)) return false;
    if (isLeftInTransaction(error)) return true;
    throw error;
  } finally {
    endTransaction(reader);
    reader.close();
  }
}

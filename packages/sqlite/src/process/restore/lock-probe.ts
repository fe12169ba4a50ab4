import { existsSync, statSync } from "node:fs";
import { connect } from "../capture/connection.js";
import { HEADER_BYTES, isFilledJournal, isWalHeader, readStart } from "../header.js";
import { isBusy } from "../sqlite-error.js";

/** True when a lock that excludes everybody else cannot be had now. Changes no content. */
export function isLocked(database: string, platform: NodeJS.Platform = process.platform): boolean {
  const stats = statSync(database, { throwIfNoEntry: false });
  if (stats?.isFile() !== true || stats.size < HEADER_BYTES || database.trim() !== database) return false;
  if (isWalHeader(readStart(database, HEADER_BYTES))) {
    // Where the system lists locks it has told already; the probe would move the log into the database.
    return (
      platform !== "linux" && existsSync(`${database}-shm`) && isRefused(database, "PRAGMA locking_mode = EXCLUSIVE")
    );
  }
  // The probe would roll a killed writer's transaction back.
  if (isFilledJournal(`${database}-journal`)) return false;
  return isRefused(database, "PRAGMA query_only = OFF");
}

function isRefused(database: string, first: string): boolean {
  const connection = connect(database, "write");
  try {
    connection.exec(first);
    connection.exec("BEGIN EXCLUSIVE");
    connection.exec("ROLLBACK");
    return false;
  } catch (error) {
    // What is no database, or may not be written, is for others to tell.
    return isBusy(error);
  } finally {
    connection.close();
  }
}

import { chmodSync, closeSync, copyFileSync, fchownSync, fsyncSync, openSync, renameSync, statSync } from "node:fs";
import { errnoOf, KeepsakeError } from "@keepsake/core/basics";
import { type Owner, setAttributesNow } from "@keepsake/files";
import { connect } from "../capture/connection.js";
import { checkDatabase } from "../check.js";
import { HEADER_BYTES, isWalHeader, readStart, setWalHeader } from "../header.js";
import type { IncomingDatabase } from "../protocol.js";
import { countOf } from "../row-counts.js";
import { isDamage } from "../sqlite-error.js";

/** How full-text search says, in an integrity check, that its index disagrees with its text. */
const BROKEN_INDEX = /^(?:malformed inverted index|fts5: checksum mismatch)/;

/** A database of a bundle that was found sound. */
export interface CheckedIncoming {
  readonly wal: boolean;
  readonly pageSize: number;
  readonly notes: readonly string[];
}

/**
 * Checks an unpacked database as thoroughly as SQLite can, and its rows against the manifest's counts.
 *
 * @returns whether it is to use a write-ahead log, and what is odd about it, but no damage
 * @throws KeepsakeError `E_DATABASE_DAMAGED`, `E_INTEGRITY`
 */
export function checkIncoming({
  file,
  path,
  rowCounts = {},
  journalMode,
  knownNotes,
}: IncomingDatabase): CheckedIncoming {
  const header = usesLog(file);
  // The private file is read as one without a log: opening it would else make one beside it.
  if (header) setWalHeader(file, false);
  try {
    const connection = connect(file, "read");
    try {
      const { damage, notes } = checkDatabase(connection, "full");
      if (damage.length > 0) throw damaged(path, damage.slice(0, 3).join("; "));
      // An index of words that was broken when the snapshot was taken comes back as it was; one that broke since does not.
      const broken = notes.filter((note) => BROKEN_INDEX.test(note) && !knownNotes.includes(note));
      if (broken.length > 0) throw damaged(path, broken.slice(0, 3).join("; "));
      for (const [table, expected] of Object.entries(rowCounts)) {
        const found = countOf(connection, table);
        if (found !== undefined && found !== expected) throw wrongCount(path, table, expected, found);
      }
      const pageSize = connection.pragma("page_size", { simple: true }) as number;
      return { wal: journalMode === undefined ? header : journalMode === "wal", pageSize, notes };
    } finally {
      connection.close();
    }
  } catch (error) {
    if (isDamage(error)) throw damaged(path, error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** Gives a checked database the log mode that it is to have in the live memory: then it is what the live one may be already. */
export function settleHeader({ file }: IncomingDatabase, wal: boolean): void {
  if (wal && statSync(file).size >= HEADER_BYTES) setWalHeader(file, true);
}

/** Moves a settled database to `staged` as it is to lie in the live memory: owner, mode, time; on the disk. */
export function placeIncoming(
  { file, mode, mtimeMs }: IncomingDatabase,
  staged: string,
  owner: Owner | undefined,
): void {
  try {
    renameSync(file, staged);
  } catch (error) {
    if (errnoOf(error) !== "EXDEV") throw error;
    copyFileSync(file, staged);
  }
  chmodSync(staged, 0o600);
  const fd = openSync(staged, "r+");
  try {
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
    setAttributesNow(staged, { mode, mtimeMs });
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function usesLog(file: string): boolean {
  return statSync(file).size >= HEADER_BYTES && isWalHeader(readStart(file, HEADER_BYTES));
}

function damaged(path: string, detail: string): KeepsakeError {
  return new KeepsakeError(
    "E_DATABASE_DAMAGED",
    `The database ${JSON.stringify(path)} of the bundle is damaged: ${detail}.`,
    {
      context: { database: path },
    },
  );
}

function wrongCount(path: string, table: string, expected: number, found: number): KeepsakeError {
  const counts = `${String(found)} rows, and its manifest says ${String(expected)}`;
  return new KeepsakeError(
    "E_INTEGRITY",
    `The table ${JSON.stringify(table)} of ${JSON.stringify(path)} has ${counts}.`,
    {
      context: { database: path, table, expected, found },
    },
  );
}

import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { errnoOf } from "@keepsake/core/basics";

/** The first bytes of every SQLite database (sqlite.org/fileformat2.html, section 1.3). */
const MAGIC = Buffer.from("SQLite format 3\0", "latin1");
/** The first bytes of a rollback journal that holds something (section 3). */
const JOURNAL_MAGIC = Buffer.from("d9d505f920a163d7", "hex");

/** The bytes that say how the database is written: 2 in both means write-ahead log. */
export const VERSION_OFFSET = 18;
/** The schema cookie, big-endian. */
export const SCHEMA_COOKIE_OFFSET = 40;
export const HEADER_BYTES = 100;

/** The first `length` bytes of a file, fewer where it is shorter. Only for files no connection of this process has open. */
export function readStart(file: string, length: number): Buffer {
  const fd = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, 0));
  } finally {
    closeSync(fd);
  }
}

/** True when the bytes begin like an SQLite database. */
export function isDatabaseStart(start: Uint8Array): boolean {
  return MAGIC.equals(start.subarray(0, MAGIC.length));
}

/** True when a header says that the database uses a write-ahead log. */
export function isWalHeader(header: Uint8Array): boolean {
  return header[VERSION_OFFSET] === 2 || header[VERSION_OFFSET + 1] === 2;
}

/** Bytes of a page (section 1.3.2); 1 stands for 65536. */
export function pageSizeOf(header: Buffer): number {
  const stored = header.readUInt16BE(16);
  return stored === 1 ? 65_536 : stored;
}

/** True when a `-journal` file is there and holds a transaction, finished or not. A writer may remove it at any time. */
export function isFilledJournal(journal: string): boolean {
  try {
    return JOURNAL_MAGIC.equals(readStart(journal, JOURNAL_MAGIC.length));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Says in the header of a private file, which no connection has open, how the database is written. */
export function setWalHeader(file: string, wal: boolean): void {
  const version = wal ? 2 : 1;
  writeAt(file, VERSION_OFFSET, Buffer.from([version, version]));
}

/** Writes a big-endian number into the header of a private file that no connection has open. */
export function writeUint32(file: string, offset: number, value: number): void {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  writeAt(file, offset, bytes);
}

function writeAt(file: string, offset: number, bytes: Buffer): void {
  const fd = openSync(file, "r+");
  try {
    writeSync(fd, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(fd);
  }
}

import { existsSync } from "node:fs";
import type Database from "better-sqlite3";
import { clearAway, isLeftLog } from "./clear-away.js";
import { backupTo, beginReading, connect, dataVersion, endTransaction, schemaVersion } from "./connection.js";
import { FolderTime } from "./folder-time.js";
import type { LiveDatabase } from "./live-database.js";

/**
 * A database with a write-ahead log. `BEGIN IMMEDIATE` on one connection stops writers for an instant; a read transaction
 * on another keeps its view although they go on.
 *
 * Measured: a reading connection that is closed last leaves `-wal` and `-shm` as they are; a writing one moves the log into
 * the database and deletes both. So where a killed agent left them, the reader goes last; where they were not there, the
 * writer does, which clears away what opening made. Where a living agent has them, too: if it has ended meanwhile, it would
 * have cleared them away itself but for us; if it has not, the writer is not the last, and does nothing.
 */
export class WalDatabase implements LiveDatabase {
  readonly blocksWriters = false;
  readonly #file: string;
  #wasLeft = false;
  #attached = false;
  #folderTime: FolderTime | undefined;
  #writer: Database.Database | undefined;
  #reader: Database.Database | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  hold(): void {
    this.#connect().writer.exec("BEGIN IMMEDIATE");
  }

  release(): void {
    endTransaction(this.#writer);
  }

  pin(): "held" {
    beginReading(this.#connect().reader);
    return "held";
  }

  unpin(): void {
    endTransaction(this.#reader);
  }

  version(): string {
    return String(dataVersion(this.#connect().writer));
  }

  fence(): string {
    return "";
  }

  async copyTo(target: string, signal: AbortSignal): Promise<void> {
    const { reader } = this.#connect();
    try {
      await backupTo(reader, target, signal);
    } finally {
      endTransaction(reader);
    }
  }

  close(): void {
    const [first, last] = this.#wasLeft ? [this.#writer, this.#reader] : [this.#reader, this.#writer];
    this.#writer = this.#reader = undefined;
    endTransaction(first);
    endTransaction(last);
    first?.close();
    last?.close();
    if (last !== undefined && !this.#wasLeft) clearAway(this.#file);
    this.#folderTime?.setBack();
  }

  #connect(): { writer: Database.Database; reader: Database.Database } {
    if (this.#writer === undefined && this.#reader === undefined) this.#wasLeft = isLeftLog(this.#file);
    this.#folderTime ??= existsSync(`${this.#file}-wal`) ? undefined : FolderTime.of(this.#file);
    const writer = (this.#writer ??= connect(this.#file, "write"));
    const reader = (this.#reader ??= connect(this.#file, "read"));
    if (!this.#attached) {
      // The one to be closed last reads first: a connection that has read nothing counts for nothing when others close.
      schemaVersion(this.#wasLeft ? reader : writer);
      this.#attached = true;
      this.#folderTime?.setBack();
    }
    return { writer, reader };
  }
}

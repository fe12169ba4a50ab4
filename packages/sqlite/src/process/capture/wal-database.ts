import { existsSync } from "node:fs";
import type Database from "better-sqlite3";
import { backupTo, beginReading, connect, endTransaction } from "./connection.js";
import type { LiveDatabase } from "./live-database.js";

/**
 * A database with a write-ahead log. `BEGIN IMMEDIATE` on one connection stops writers for an instant; a read transaction
 * on another keeps its view although they go on.
 *
 * Measured: a reading connection that is closed last leaves `-wal` and `-shm` as they are; a writing one moves the log into
 * the database and deletes both. So where they were there before (an open agent, a killed one), the reader goes last, and
 * where they were not, the writer does, which clears away what opening made.
 */
export class WalDatabase implements LiveDatabase {
  readonly blocksWriters = false;
  readonly #file: string;
  #hadLog = false;
  #attached = false;
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
    return String(this.#connect().writer.pragma("data_version", { simple: true }));
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
    const [first, last] = this.#hadLog ? [this.#writer, this.#reader] : [this.#reader, this.#writer];
    this.#writer = this.#reader = undefined;
    endTransaction(first);
    endTransaction(last);
    first?.close();
    last?.close();
  }

  #connect(): { writer: Database.Database; reader: Database.Database } {
    if (this.#writer === undefined && this.#reader === undefined) this.#hadLog = existsSync(`${this.#file}-wal`);
    const writer = (this.#writer ??= connect(this.#file, "write"));
    const reader = (this.#reader ??= connect(this.#file, "read"));
    if (!this.#attached) {
      // The one to be closed last reads first: a connection that has read nothing counts for nothing when others close.
      (this.#hadLog ? reader : writer).pragma("schema_version");
      this.#attached = true;
    }
    return { writer, reader };
  }
}

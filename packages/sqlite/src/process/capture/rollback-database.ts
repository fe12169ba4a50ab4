import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import type Database from "better-sqlite3";
import { HEADER_BYTES } from "../header.js";
import { backupTo, beginReading, connect, dataVersion, endTransaction } from "./connection.js";
import type { LiveDatabase } from "./live-database.js";

/**
 * A database with a rollback journal, read through a connection that cannot write: it can neither leave a journal nor roll
 * back one that a killed writer left.
 *
 * A read transaction holds a SHARED lock, under which no writer commits. But one that has begun goes on, and writes its
 * notes: `BEGIN IMMEDIATE` on another connection keeps all of them out. It comes second: who has a SHARED lock already,
 * keeps a journal from being rolled back. A small database stays pinned by its read transaction until its copy is made, at
 * once. A large one would make writers wait too long: it is copied without, and a fingerprint proves that nothing was
 * written meanwhile.
 */
export class RollbackDatabase implements LiveDatabase {
  readonly blocksWriters: boolean;
  readonly #file: string;
  readonly #isWritable: boolean;
  #reader: Database.Database | undefined;
  #writer: Database.Database | undefined;
  /** for the fingerprint; open until the end, since closing it would drop the connection's locks */
  #fd: number | undefined;
  #pinned = false;

  constructor(file: string, { isPinnable, isWritable }: { isPinnable: boolean; isWritable: boolean }) {
    this.#file = file;
    this.blocksWriters = isPinnable;
    this.#isWritable = isWritable;
  }

  hold(): void {
    this.#read();
    if (!this.#isWritable) return;
    try {
      (this.#writer ??= connect(this.#file, "write")).exec("BEGIN IMMEDIATE");
    } catch (error) {
      // A writer that is about to commit waits for the SHARED lock to go.
      endTransaction(this.#reader);
      throw error;
    }
  }

  release(): void {
    endTransaction(this.#writer);
    if (!this.#pinned) endTransaction(this.#reader);
  }

  pin(): "held" | "fenced" {
    if (!this.blocksWriters) return "fenced";
    this.#read();
    this.#pinned = true;
    return "held";
  }

  unpin(): void {
    this.#pinned = false;
    endTransaction(this.#reader);
  }

  version(): string {
    if (!this.blocksWriters) return "";
    return String(dataVersion((this.#reader ??= connect(this.#file, "read"))));
  }

  fence(): string {
    if (this.blocksWriters) return "";
    this.#fd ??= openSync(this.#file, "r");
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(this.#fd, header, 0, HEADER_BYTES, 0);
    const opened = fstatSync(this.#fd, { bigint: true });
    const named = statSync(this.#file, { bigint: true });
    return [named.dev, named.ino, opened.ino, opened.size, opened.mtimeNs, header.toString("hex")].join(":");
  }

  async copyTo(target: string, signal: AbortSignal): Promise<void> {
    const reader = (this.#reader ??= connect(this.#file, "read"));
    try {
      await backupTo(reader, target, signal);
    } finally {
      this.#pinned = false;
      endTransaction(reader);
    }
  }

  close(): void {
    this.#pinned = false;
    for (const connection of [this.#writer, this.#reader]) {
      endTransaction(connection);
      connection?.close();
    }
    this.#writer = this.#reader = undefined;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #read(): void {
    this.#reader ??= connect(this.#file, "read");
    if (!this.#reader.inTransaction) beginReading(this.#reader);
  }
}

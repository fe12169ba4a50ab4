import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import type Database from "better-sqlite3";
import { HEADER_BYTES } from "../header.js";
import { backupTo, beginReading, connect, endTransaction } from "./connection.js";
import type { LiveDatabase } from "./live-database.js";

/**
 * A database with a rollback journal, read through one connection that cannot write: it can neither leave a journal nor
 * roll back one that a killed writer left.
 *
 * A read transaction holds a SHARED lock, under which no writer commits: it is hold and pin in one. A small database keeps
 * it until its copy is made, at once. A large one would make writers wait too long: it is copied without it, and a
 * fingerprint proves that nothing was written meanwhile.
 */
export class RollbackDatabase implements LiveDatabase {
  readonly blocksWriters: boolean;
  readonly #file: string;
  #reader: Database.Database | undefined;
  /** for the fingerprint; open until the end, since closing it would drop the connection's locks */
  #fd: number | undefined;
  #pinned = false;

  constructor(file: string, pinnable: boolean) {
    this.#file = file;
    this.blocksWriters = pinnable;
  }

  hold(): void {
    this.#reader ??= connect(this.#file, "read");
    if (!this.#reader.inTransaction) beginReading(this.#reader);
  }

  release(): void {
    if (!this.#pinned) endTransaction(this.#reader);
  }

  pin(): "held" | "fenced" {
    if (!this.blocksWriters) return "fenced";
    this.hold();
    this.#pinned = true;
    return "held";
  }

  unpin(): void {
    this.#pinned = false;
    endTransaction(this.#reader);
  }

  version(): string {
    if (!this.blocksWriters) return "";
    const reader = (this.#reader ??= connect(this.#file, "read"));
    return String(reader.pragma("data_version", { simple: true }));
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
    endTransaction(this.#reader);
    this.#reader?.close();
    this.#reader = undefined;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

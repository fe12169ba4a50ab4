import { closeSync, openSync, readSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type Database from "better-sqlite3";
import {
  backupTo,
  beginReading,
  ChangedWhileCopied,
  connect,
  dataVersion,
  endTransaction,
} from "../capture/connection.js";
import { HEADER_BYTES, isWalHeader } from "../header.js";
import { isBusy } from "../sqlite-error.js";
import { fsyncPath } from "./durable-marks.js";

/** Where SQLite counts the transactions of a database without a write-ahead log (fileformat2, section 1.3.9). */
const CHANGE_COUNTER = { start: 24, end: 28 } as const;

const CHUNK_BYTES = 1 << 20;

/**
 * What a live database holds just before it is written over, for taking that back. The copy is made before the database
 * is locked, so that nobody waits for it; once it is, {@link isCurrent} says whether somebody has written meanwhile.
 */
export class UndoCopy implements Disposable {
  readonly #undo: string;
  readonly #reader: Database.Database;
  /** Kept open until the locks are gone: closing a file drops every lock that this process has on it. */
  readonly #fd: number;
  #taken = false;
  #version: unknown;
  #counter: Buffer = Buffer.alloc(0);

  private constructor(live: string, undo: string) {
    this.#undo = undo;
    this.#fd = openSync(live, "r");
    this.#reader = connect(live, "read");
  }

  /** Where writers leave no time for it there is no copy yet: it is {@link renew}ed once they are kept out. */
  static async make(live: string, undo: string, signal: AbortSignal): Promise<UndoCopy> {
    const copy = new UndoCopy(live, undo);
    try {
      await copy.#take(signal);
    } catch (error) {
      if (isBusy(error) || error instanceof ChangedWhileCopied) return copy;
      copy[Symbol.dispose]();
      throw error;
    }
    return copy;
  }

  /** To be asked while the live database is locked, which for one without a log means that it cannot be read. */
  isCurrent(): boolean {
    if (!this.#taken) return false;
    if (!this.#isWal()) return this.#readCounter().equals(this.#counter);
    return dataVersion(this.#reader) === this.#version;
  }

  /**
   * Copies it anew, while it is locked and nothing was copied into it yet: one with a log can be read then, and the file
   * of one without is all there is of it.
   */
  async renew(signal: AbortSignal): Promise<void> {
    if (this.#isWal()) await this.#take(signal);
    else this.#copyFile(signal);
  }

  [Symbol.dispose](): void {
    this.#reader.close();
    closeSync(this.#fd);
  }

  async #take(signal: AbortSignal): Promise<void> {
    const fresh = `${this.#undo}.fresh`;
    try {
      beginReading(this.#reader);
      this.#version = dataVersion(this.#reader);
      this.#counter = this.#readCounter();
      await backupTo(this.#reader, fresh, signal);
    } finally {
      endTransaction(this.#reader);
    }
    this.#keep(fresh);
    this.#taken = true;
  }

  /** Through the descriptor that is open: another one would take the lock away when it is closed. */
  #copyFile(signal: AbortSignal): void {
    const fresh = `${this.#undo}.fresh`;
    const to = openSync(fresh, "w", 0o600);
    const chunk = Buffer.alloc(CHUNK_BYTES);
    try {
      let length = 0;
      for (let at = 0; (length = readSync(this.#fd, chunk, 0, CHUNK_BYTES, at)) > 0; ) {
        signal.throwIfAborted();
        for (let done = 0; done < length; ) done += writeSync(to, chunk, done, length - done);
        at += length;
      }
    } finally {
      closeSync(to);
    }
    this.#keep(fresh);
  }

  #keep(fresh: string): void {
    fsyncPath(fresh, "r+");
    renameSync(fresh, this.#undo);
    fsyncPath(dirname(this.#undo), "r");
  }

  #isWal(): boolean {
    return isWalHeader(this.#readHeader());
  }

  #readCounter(): Buffer {
    return this.#readHeader().subarray(CHANGE_COUNTER.start, CHANGE_COUNTER.end);
  }

  #readHeader(): Buffer {
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(this.#fd, header, 0, HEADER_BYTES, 0);
    return header;
  }
}

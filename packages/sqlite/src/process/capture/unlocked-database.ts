import { constants, statSync } from "node:fs";
import { chmod, copyFile, rm } from "node:fs/promises";
import { errnoOf } from "@keepsake/core/basics";
import { Database } from "../better-sqlite.js";
import { HEADER_BYTES, readStart } from "../header.js";
import { SIDECARS } from "../sidecars.js";
import { ChangedWhileCopied } from "./connection.js";
import type { LiveDatabase } from "./live-database.js";

const MAX_TRIES = 5;

/**
 * A database that SQLite could not read without changing it: its writer was killed in the middle of a transaction, or it
 * lies where nothing may be written. Its files are copied, and what has to be recovered is recovered in the copy.
 */
export class UnlockedDatabase implements LiveDatabase {
  readonly blocksWriters = false;
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  hold(): void {
    // No lock can be had; the fingerprint is the proof.
  }

  release(): void {
    // Nothing is held.
  }

  pin(): "fenced" {
    return "fenced";
  }

  unpin(): void {
    // Nothing is pinned.
  }

  version(): string {
    return "";
  }

  fence(): string {
    return ["", "-wal", "-journal"].map((suffix) => fingerprint(`${this.#file}${suffix}`)).join("|");
  }

  async copyTo(target: string, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      const before = this.fence();
      await this.#copyFiles(target);
      if (before === this.fence()) break;
      if (attempt === MAX_TRIES) throw new ChangedWhileCopied();
    }
    recover(target);
  }

  close(): void {
    // Nothing is open.
  }

  async #copyFiles(target: string): Promise<void> {
    await Promise.all(["", ...SIDECARS].map((suffix) => rm(`${target}${suffix}`, { force: true })));
    for (const suffix of ["", "-wal", "-journal"]) {
      try {
        await copyFile(`${this.#file}${suffix}`, `${target}${suffix}`, constants.COPYFILE_FICLONE);
        await chmod(`${target}${suffix}`, 0o600);
      } catch (error) {
        if (suffix === "" || errnoOf(error) !== "ENOENT") throw error;
      }
    }
  }
}

/** Size, time and first bytes; no connection of this process has the file open, so that it may be opened and closed. */
function fingerprint(file: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs, readStart(file, HEADER_BYTES).toString("hex")].join(":");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
}

/** Rolls back or carries over what the journal or the log holds. The last connection of a log deletes it. */
function recover(file: string): void {
  const connection = new Database(file);
  try {
    connection.pragma("schema_version");
    connection.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    connection.close();
  }
}

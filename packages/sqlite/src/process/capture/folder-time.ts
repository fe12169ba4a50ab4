import { readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { attributesOf, setTimeSync } from "@keepsake/files";

/** Files that come and go with SQLite's connections. */
const SIDECAR = /-(?:wal|shm|journal)$/;

/**
 * The time of a folder in which a database without a log lies. Opening the database makes a log and an index beside it, and
 * closing it takes them away: each gives the folder a new time, which a snapshot would capture, and a dry run leave behind.
 */
export class FolderTime {
  readonly #folder: string;
  readonly #names: string;
  readonly #mtimeMs: number;
  readonly #atimeMs: number;

  private constructor(folder: string) {
    const stats = statSync(folder, { bigint: true });
    this.#folder = folder;
    this.#names = namesIn(folder);
    this.#mtimeMs = attributesOf(stats).mtimeMs;
    this.#atimeMs = Number(stats.atimeNs / 1000n) / 1000;
  }

  /** Undefined where the folder cannot be listed. */
  static of(file: string): FolderTime | undefined {
    try {
      return new FolderTime(dirname(file));
    } catch {
      return undefined;
    }
  }

  /** Gives the folder its time again, unless somebody else has changed what is in it, or it may not be changed. */
  setBack(): void {
    try {
      if (namesIn(this.#folder) === this.#names) setTimeSync(this.#folder, this.#mtimeMs, this.#atimeMs);
    } catch {
      // Read-only, another user's, or gone: its time is not ours to keep.
    }
  }
}

function namesIn(folder: string): string {
  return readdirSync(folder)
    .filter((name) => !SIDECAR.test(name))
    .sort()
    .join("\0");
}

import type Database from "better-sqlite3";
import { connect } from "../capture/connection.js";
import { isBusy } from "../sqlite-error.js";

/** Pages per step, between which other work goes on: 4 MiB of a usual database. */
const STEP_PAGES = 1024;

/** Why a pour that was given up ended. */
class GivenUp extends Error {}

/**
 * The content of one database on its way into another that others have open, by SQLite's online backup. The backup locks
 * its target in its first step, which here copies no page, and holds it until its last page: nobody else writes to the
 * target meanwhile, and nothing of the content is seen. Only {@link finish} copies that page, which commits.
 */
export class Pour {
  readonly #source: Database.Database;
  #ended: Promise<unknown> = Promise.resolve();
  /** pages that the next step copies; none while others are waited for */
  #rate = 0;
  #left = 0;
  #upTo: "lock" | "last page" | "end" = "lock";
  #givenUp = false;
  #reached: () => void = () => undefined;

  private constructor(source: Database.Database) {
    this.#source = source;
  }

  /** Locks `to`. @returns undefined when another connection is in the way */
  static async lock(from: string, to: string): Promise<Pour | undefined> {
    const pour = new Pour(connect(from, "read"));
    try {
      const locked = pour.#until("lock");
      pour.#ended = pour.#source.backup(to, { progress: ({ remainingPages }) => pour.#step(remainingPages) });
      // It may fail while nobody is waiting for it; whoever does is told.
      pour.#ended.catch(() => undefined);
      // Measured: when the first step finds another connection in the way, the backup ends as if no page were to be copied.
      const first = await Promise.race([locked.then(() => "locked"), pour.#ended.then(() => "in the way")]);
      if (first === "locked") return pour;
    } catch (error) {
      if (!isBusy(error)) throw error;
    } finally {
      if (pour.#left === 0) pour.#source.close();
    }
    return undefined;
  }

  /** Copies all but the last page. */
  async fill(signal: AbortSignal): Promise<void> {
    const stop = (): void => void (this.#givenUp = true);
    signal.addEventListener("abort", stop, { once: true });
    try {
      await Promise.race([this.#until("last page"), this.#ended]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Copies the last page: from now on everybody sees the new content. */
  async finish(): Promise<void> {
    this.#upTo = "end";
    try {
      await this.#ended;
    } finally {
      this.#source.close();
    }
  }

  /** Leaves the target as it was, and lets go of it; nothing when it has ended. */
  async giveUp(): Promise<void> {
    this.#givenUp = true;
    await this.#ended.catch(() => undefined);
    this.#source.close();
  }

  #until(what: "lock" | "last page"): Promise<void> {
    this.#upTo = what;
    return new Promise((resolve) => {
      this.#reached = resolve;
    });
  }

  /** After each step; what it returns is how many pages the next one copies. */
  #step(left: number): number {
    if (this.#givenUp) throw new GivenUp();
    this.#left = left;
    if (this.#upTo === "end") return left;
    const open = this.#upTo === "lock" ? 0 : left - 1;
    if (open === 0) this.#reached();
    this.#rate = Math.min(open, STEP_PAGES);
    return this.#rate;
  }
}

import { randomUUID } from "node:crypto";
import { type FileHandle, link, open, readdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "@keepsake/core";
import { fsyncDirectory } from "@keepsake/files/basics";
import { type LockFile, type LockHolder, newHolder, readLockFile, setLease } from "./lock-file.js";
import { PARTIAL_PREFIX, partialPathIn, removeIfAbandoned } from "./partial-file.js";

/**
 * The acquisitions of one lock, as a chain of numbered files in a folder of its own.
 *
 * Whoever finds the newest acquisition `n` free (released, or its holder dead) claims the lock by creating the file `n+1`
 * with link(2): of several claimants exactly one succeeds, and no file is ever taken over, so that there is no moment at
 * which two could believe the same file theirs. The number is the fencing token.
 *
 * A holder removes the files before its own, oldest first, after noting its number in `token`. A claimant that slept so long
 * that `n+1` was created, released and removed meanwhile can create it again. It finds out: `n` was removed before `n+1`
 * was, so the claim only counts when `n` still is the file (by nonce) that was found free. Where there was no `n`, the
 * claim counts when `token` did not move: it moves before anything is removed.
 */
export class LockChain {
  readonly #folder: string;

  /** @param folder exists, or every method throws `ENOENT` */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The newest acquisition, at best: what it says may be old by the time it is used. */
  async newest(): Promise<ChainView> {
    for (;;) {
      const noted = await this.#notedToken();
      const number = Math.max(noted, ...(await this.#numbers()));
      const file = number === 0 ? undefined : await readLockFile(this.#pathOf(number));
      // What was listed may have been removed since; what was noted may be gone for good.
      if (file !== undefined || number === noted) return { number, file };
    }
  }

  /** @returns undefined when somebody else was first. @throws the system error */
  async claimAfter(view: ChainView, leaseMs: number): Promise<Claim | undefined> {
    const token = view.number + 1;
    const nonce = randomUUID();
    const leaseEndsAtMs = Date.now() + leaseMs;
    const handle = await this.#linkNew(newHolder(token, nonce, leaseMs), leaseEndsAtMs);
    if (handle === undefined) return undefined;
    try {
      if (await this.#counts(view)) {
        await fsyncDirectory(this.#folder);
        return { token, nonce, leaseEndsAtMs, handle };
      }
      await unlinkIfThere(this.#pathOf(token));
      await handle.close();
      return undefined;
    } catch (error) {
      await unlinkIfThere(this.#pathOf(token)).catch(() => undefined);
      await handle.close().catch(() => undefined);
      throw error;
    }
  }

  /** Notes the number of a claim that counts, and removes what came before it. */
  async settle({ token }: Claim): Promise<void> {
    await this.#noteToken(token);
    const older = (await this.#numbers()).filter((number) => number < token).sort((a, b) => a - b);
    for (const number of older) await unlinkIfThere(this.#pathOf(number));
    for (const name of await readdir(this.#folder)) {
      if (name.startsWith(PARTIAL_PREFIX)) await removeIfAbandoned(this.#folder, name, ABANDONED_AFTER_MS);
    }
  }

  /** Gives a claim up by removing its file, where it could not be marked as released. */
  async withdraw({ token, nonce }: Claim): Promise<void> {
    const path = this.#pathOf(token);
    if ((await readLockFile(path))?.holder?.nonce === nonce) await unlinkIfThere(path);
  }

  /** True while no later acquisition exists and the claim's own file is there. */
  async isNewest({ token, nonce }: Claim): Promise<boolean> {
    // In this order: had a later one come and gone already, our own would be gone too.
    if ((await readLockFile(this.#pathOf(token + 1))) !== undefined) return false;
    return (await readLockFile(this.#pathOf(token)))?.holder?.nonce === nonce;
  }

  async #linkNew(holder: LockHolder, leaseEndsAtMs: number): Promise<FileHandle | undefined> {
    const partial = partialPathIn(this.#folder);
    const handle = await open(partial, "wx", 0o600);
    let isLinked = false;
    try {
      await handle.writeFile(`${JSON.stringify(holder)}\n`);
      await setLease(handle, leaseEndsAtMs);
      // Before it has a name: after a power cut nobody could tell whose a file without content is, nor that it is dead.
      await handle.sync();
      await link(partial, this.#pathOf(holder.token));
      isLinked = true;
      await unlinkIfThere(partial);
      return handle;
    } catch (error) {
      await handle.close().catch(() => undefined);
      await unlinkIfThere(partial).catch(() => undefined);
      // Left there it would be the lock of a process that lives and does not know of it.
      if (isLinked) await unlinkIfThere(this.#pathOf(holder.token)).catch(() => undefined);
      if (errnoOf(error) === "EEXIST") return undefined;
      throw error;
    }
  }

  async #counts({ number, file }: ChainView): Promise<boolean> {
    if (file === undefined) return (await this.#notedToken()) === number;
    const now = await readLockFile(this.#pathOf(number));
    return now !== undefined && now.holder?.nonce === file.holder?.nonce;
  }

  async #noteToken(token: number): Promise<void> {
    const partial = partialPathIn(this.#folder);
    try {
      await writeFile(partial, `${String(token)}\n`, { mode: 0o600 });
      await rename(partial, join(this.#folder, TOKEN_FILE));
    } catch (error) {
      await unlinkIfThere(partial).catch(() => undefined);
      throw error;
    }
  }

  async #notedToken(): Promise<number> {
    try {
      const text = await readFile(join(this.#folder, TOKEN_FILE), "utf8");
      return /^[0-9]{1,15}\n$/.test(text) ? Number(text) : 0;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return 0;
      throw error;
    }
  }

  async #numbers(): Promise<number[]> {
    return (await readdir(this.#folder))
      .filter((name) => LOCK_NAME.test(name))
      .map((name) => Number.parseInt(name, 10));
  }

  #pathOf(number: number): string {
    return join(this.#folder, `${String(number)}.lock`);
  }
}

/** What was the newest acquisition when it was looked at; `file` is undefined when there is none to be seen. */
export interface ChainView {
  /** 0 where the lock was never taken */
  readonly number: number;
  readonly file: LockFile | undefined;
}

/** An acquisition of one's own. The holder closes the handle. */
export interface Claim {
  readonly token: number;
  readonly nonce: string;
  /** milliseconds since 1970 */
  readonly leaseEndsAtMs: number;
  readonly handle: FileHandle;
}

const TOKEN_FILE = "token";
const LOCK_NAME = /^[1-9][0-9]{0,14}\.lock$/;
/** Files of another host in this folder live for milliseconds. */
const ABANDONED_AFTER_MS = 3_600_000;

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

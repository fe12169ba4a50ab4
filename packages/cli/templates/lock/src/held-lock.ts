import { KeepsakeError, type Lock } from "@keepsake/core";
import type { ClaimFolder } from "./claim-folder.js";

const LOOK_EVERY_MS = 250;

/** A lock that was taken. It looks now and then whether it is still its own. */
export class HeldLock implements Lock {
  readonly name: string;
  readonly fencingToken: number;
  readonly #folder: ClaimFolder;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #released: Promise<void> | undefined;

  constructor(name: string, folder: ClaimFolder, fencingToken: number) {
    this.name = name;
    this.fencingToken = fencingToken;
    this.#folder = folder;
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
    // A lock that is held does not keep its program from ending.
    this.#timer.unref();
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async assertHeld(): Promise<void> {
    if (this.#released === undefined && (await this.#folder.isHeld(this.fencingToken))) return;
    throw this.#error();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#released ??= this.#folder.release(this.fencingToken);
    await this.#released;
  }

  async #look(): Promise<void> {
    // A folder that cannot be read now may be read later; `assertHeld` asks before anything is decided.
    const isHeld = await this.#folder.isHeld(this.fencingToken).catch(() => true);
    if (isHeld || this.#released !== undefined) return;
    clearInterval(this.#timer);
    this.#lost.abort(this.#error());
  }

  #error(): KeepsakeError {
    return new KeepsakeError("E_LOCK_LOST", `The lock ${this.name} is not held any more.`, {
      context: { lock: this.name },
    });
  }
}

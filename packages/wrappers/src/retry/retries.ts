import { isKeepsakeError } from "@keepsake/core";
import { SYSTEM_TIME, type Time } from "../time.js";

/** How a store is tried again. */
export interface RetryOptions {
  /** how often a thing is tried in all, from 1; counted anew when a body or a list has come further. Default 5 */
  readonly attempts?: number;
  /** milliseconds before the second attempt, then doubled; a random part of up to a half is taken off. Default 100 */
  readonly firstDelayMs?: number;
  /** default 10,000 */
  readonly maxDelayMs?: number;
  /** how much of a body is held, so that `put` can send it again; default 8 MiB. 0: only what was not begun is tried again */
  readonly spoolBytes?: number;
  /** default: that of this machine */
  readonly time?: Time;
  /** at least 0, less than 1; default `Math.random` */
  readonly random?: () => number;
}

/** The attempts at one thing. */
export interface Attempts {
  /**
   * After a failure: waits, and answers whether to try again.
   *
   * @throws the signal's reason
   */
  again(error: unknown): Promise<boolean>;
  /** It has come further: what fails now is a new trouble. */
  anew(): void;
}

/** When to try again, and after how long. */
export class Retries {
  readonly #attempts: number;
  readonly #firstDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #time: Time;
  readonly #random: () => number;

  constructor(options: RetryOptions) {
    const { attempts = 5, firstDelayMs = 100, maxDelayMs = 10_000, time = SYSTEM_TIME, random = Math.random } = options;
    if (!Number.isInteger(attempts) || attempts < 1) throw new TypeError("There is at least 1 attempt.");
    this.#attempts = attempts;
    this.#firstDelayMs = firstDelayMs;
    this.#maxDelayMs = maxDelayMs;
    this.#time = time;
    this.#random = random;
  }

  begin(signal: AbortSignal | undefined): Attempts {
    let failures = 0;
    return {
      again: async (error) => {
        signal?.throwIfAborted();
        if (!isTemporary(error) || ++failures >= this.#attempts) return false;
        const longest = Math.min(this.#maxDelayMs, this.#firstDelayMs * 2 ** (failures - 1));
        await this.#time.sleep(longest * (1 - this.#random() / 2), signal);
        return true;
      },
      anew: () => {
        failures = 0;
      },
    };
  }

  /** Calls until it succeeds. @param onFailure told of each failure after which it is tried again */
  async of<T>(signal: AbortSignal | undefined, call: () => Promise<T>, onFailure?: () => void): Promise<T> {
    const attempts = this.begin(signal);
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!(await attempts.again(error))) throw error;
        onFailure?.();
      }
    }
  }
}

function isTemporary(error: unknown): boolean {
  return isKeepsakeError(error) && error.retry === "temporary";
}

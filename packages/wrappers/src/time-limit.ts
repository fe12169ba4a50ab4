import type { Time } from "./time.js";

interface TimeLimitOptions {
  readonly time: Time;
  readonly limitMs: number;
  readonly graceMs: number;
  /** the caller's */
  readonly signal: AbortSignal | undefined;
  /** what is failed with when the time is over */
  readonly error: Error;
}

/** Bounds stretches of work that share one signal. */
export class TimeLimit {
  /** fires with the caller's, and when the time of a stretch is over */
  readonly signal: AbortSignal;
  readonly #options: TimeLimitOptions;
  readonly #over: AbortController;
  #clock: AbortController | undefined;
  #onExpiry: (() => void) | undefined;
  #isHeld = false;

  constructor(options: TimeLimitOptions, over = new AbortController()) {
    this.#options = options;
    this.#over = over;
    const { signal } = options;
    this.signal = signal === undefined ? this.#over.signal : AbortSignal.any([signal, this.#over.signal]);
  }

  /** Another limit that ends the same: of the body that a call has answered with. */
  forSteps(limitMs: number, error: Error): TimeLimit {
    return new TimeLimit({ ...this.#options, limitMs, error }, this.#over);
  }

  /**
   * Does `work` within the time; `pause` and `resume` take out of it what the store does not answer for. Work that is told to
   * stop and does so within the grace fails with the limit's error, or succeeds after all; what hangs is left behind.
   *
   * @throws the caller's reason when it was the caller who stopped it
   */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    const { time, graceMs, signal, error } = this.#options;
    signal?.throwIfAborted();
    const forsaken = new AbortController();
    const left = new Promise<never>((_resolve, reject) => {
      this.#onExpiry = () => {
        const forsake = (): void => reject(error);
        time.sleep(graceMs, forsaken.signal).then(forsake, () => undefined);
      };
    });
    this.#isHeld = true;
    this.resume();
    try {
      return await Promise.race([work(), left]);
    } catch (failure) {
      if (signal?.aborted === true) throw failure === error ? signal.reason : failure;
      throw this.#over.signal.aborted ? error : failure;
    } finally {
      this.#isHeld = false;
      this.pause();
      forsaken.abort();
    }
  }

  pause(): void {
    this.#clock?.abort();
    this.#clock = undefined;
  }

  resume(): void {
    if (this.#over.signal.aborted || !this.#isHeld) return;
    const clock = new AbortController();
    this.#clock = clock;
    const expire = (): void => {
      this.#over.abort(this.#options.error);
      this.#onExpiry?.();
    };
    this.#options.time.sleep(this.#options.limitMs, clock.signal).then(expire, () => undefined);
  }
}

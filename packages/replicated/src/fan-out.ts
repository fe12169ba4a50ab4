import { abortable, type ByteStream } from "@keepsake/core";

interface Waiter {
  readonly resolve: (step: IteratorResult<Uint8Array>) => void;
  readonly reject: (error: unknown) => void;
}

/** One reader's view of the stream. */
export class Branch implements AsyncIterableIterator<Uint8Array> {
  #waiter: Waiter | undefined;
  #end: { readonly error: unknown } | "done" | undefined;
  readonly #changed: () => void;
  #isGone = false;
  #wasFailed = false;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** its reader has taken all it was given, and asks for more */
  get isWaiting(): boolean {
    return this.#waiter !== undefined;
  }

  /** its reader has stopped */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** it was made to fail, so that what its reader fails with is no news */
  get wasFailed(): boolean {
    return this.#wasFailed;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#isGone || this.#end === "done") return Promise.resolve({ done: true, value: undefined });
    // What the body fails with is passed on as it is.
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    if (this.#end) return Promise.reject(this.#end.error);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#changed();
    });
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  give(value: Uint8Array): void {
    this.#take()?.resolve({ done: false, value });
  }

  finish(): void {
    this.#end ??= "done";
    this.#take()?.resolve({ done: true, value: undefined });
  }

  /** Its reader sees the stream fail: so it makes nothing visible. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wasFailed = true;
    this.#take()?.reject(error);
    this.leave();
  }

  leave(): void {
    this.#isGone = true;
    this.#changed();
  }

  #take(): Waiter | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    return waiter;
  }
}

/**
 * One stream for several readers, in one pass: the next chunk is read when all of them ask for it, so that one chunk is held,
 * whatever their speeds. A reader that stops no longer counts.
 */
export class FanOut {
  readonly branches: readonly Branch[];
  #wake: (() => void) | undefined;

  constructor(readers: number) {
    this.branches = Array.from({ length: readers }, () => new Branch(() => this.#wake?.()));
  }

  /**
   * Hands the whole body to the readers, and leaves them waiting for its end. Stops early when `enough` says that it is vain.
   *
   * @param stalled called with a reader that asks for nothing for `stallMs` while all others wait
   * @throws what the body throws, or the signal's reason; the body is closed in every case
   */
  async pump(
    body: ByteStream,
    {
      signal,
      stallMs,
      stalled,
      enough,
    }: {
      readonly signal: AbortSignal | undefined;
      readonly stallMs: number;
      readonly stalled: (branch: Branch) => void;
      readonly enough: () => boolean;
    },
  ): Promise<void> {
    const source = abortable(body, signal)[Symbol.asyncIterator]();
    try {
      for (;;) {
        await this.#allWaiting(signal, stallMs, stalled);
        if (!enough()) return;
        const step = await source.next();
        if (step.done === true) return;
        if (step.value.length === 0) continue;
        for (const branch of this.branches) if (!branch.isGone) branch.give(step.value);
      }
    } finally {
      await source.return(undefined);
    }
  }

  async #allWaiting(
    signal: AbortSignal | undefined,
    stallMs: number,
    stalled: (branch: Branch) => void,
  ): Promise<void> {
    const late = (): Branch[] => this.branches.filter((branch) => !branch.isGone && !branch.isWaiting);
    const timer = setTimeout(() => {
      for (const branch of late()) stalled(branch);
      this.#wake?.();
    }, stallMs);
    const onAbort = (): void => this.#wake?.();
    signal?.addEventListener("abort", onAbort);
    try {
      while (late().length > 0) {
        signal?.throwIfAborted();
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.#wake = undefined;
      signal?.removeEventListener("abort", onAbort);
      clearTimeout(timer);
    }
  }
}

/**
 * Asks for the next item while the one before it is worked on, from the moment it is made: who reads and who writes need not wait
 * for one another. It holds one item more than its consumer does.
 *
 * For one consumer, which asks for one item after the other. Whoever takes less than all closes it by `return`, as a loop does
 * that is left; it resolves when the input is closed.
 */
export class OneAhead<T> implements AsyncIterableIterator<T, undefined, undefined> {
  readonly #input: AsyncIterator<T>;
  #next: Promise<IteratorResult<T, unknown>>;

  constructor(input: AsyncIterable<T>) {
    this.#input = input[Symbol.asyncIterator]();
    this.#next = this.#ask();
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const step = await this.#next;
    if (step.done === true) return OVER;
    this.#next = this.#ask();
    return step;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    const asked = this.#next;
    this.#next = Promise.resolve(OVER);
    // What closes while it is asked may fail with what was asked for: nobody wants that any more.
    const wasOver = await asked.then(
      ({ done }) => done === true,
      () => true,
    );
    if (!wasOver) await this.#input.return?.();
    return OVER;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #ask(): Promise<IteratorResult<T, unknown>> {
    const next = this.#input.next();
    // It may fail before anybody waits for it; whoever comes is told all the same.
    next.catch(() => undefined);
    return next;
  }
}

const OVER = { done: true, value: undefined } as const;

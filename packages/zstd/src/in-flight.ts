/** Work that was begun ahead, and is taken in its order. */
export class InFlight<T> {
  readonly #queue: Promise<T>[] = [];

  get size(): number {
    return this.#queue.length;
  }

  push(work: Promise<T>): void {
    // It may fail before its turn comes, or its turn may never come: Node would end the process for that. Whoever takes it
    // is told of the failure all the same.
    work.catch(() => undefined);
    this.#queue.push(work);
  }

  /** The oldest one's result; undefined when there is none. @throws what the work threw */
  async next(): Promise<T | undefined> {
    return this.#queue.shift();
  }
}

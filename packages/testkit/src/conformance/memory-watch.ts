import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What a stream of twice as many bytes may hold: an upload of some parts of 8 MiB at once is well within it. */
export const MAX_HELD_BYTES = 96 * 1024 * 1024;

/**
 * Watches what this process holds. Garbage is collected before each look, so that what is seen is held and not merely
 * not yet freed.
 */
export class MemoryWatch {
  readonly #everyCalls: number;
  readonly #collect = garbageCollector();
  readonly #before: number;
  #calls = 0;
  #peak = 0;

  /** @param everyCalls looks at every so many-th call of `look` */
  constructor(everyCalls: number) {
    this.#everyCalls = everyCalls;
    this.#before = this.#leastHeld();
  }

  readonly look = (): void => {
    if (++this.#calls % this.#everyCalls === 0) this.#peak = Math.max(this.#peak, this.#held());
  };

  /** how much more was held than at the beginning, in bytes */
  get grownBytes(): number {
    return Math.max(0, this.#peak - this.#before);
  }

  /** Buffers are freed beside a collection and are counted off by the next: what came before is waited for. */
  #leastHeld(): number {
    let least = this.#held();
    for (let now = this.#held(); now < least; now = this.#held()) least = now;
    return least;
  }

  #held(): number {
    this.#collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  }
}

function garbageCollector(): () => void {
  // The one way to a collection that needs no flag on the command line.
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

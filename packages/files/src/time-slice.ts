import { performance } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";

/** Far below what anybody who embeds us would notice, and so long that a turn of the event loop costs little beside it. */
const SLICE_MS = 4;

/**
 * Lets whatever else this process has to do have its turn every few milliseconds of work that is done without waiting. A
 * small file that is asked for over the thread pool costs ten times what it costs at once.
 */
export class TimeSlice {
  #until = performance.now() + SLICE_MS;

  /** True when {@link next} is due. */
  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  /** Everybody else's turn, then a new slice. @throws the signal's reason */
  async next(signal?: AbortSignal): Promise<void> {
    await nextTurn();
    signal?.throwIfAborted();
    this.#until = performance.now() + SLICE_MS;
  }
}

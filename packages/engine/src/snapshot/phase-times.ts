import { performance } from "node:perf_hooks";
import type { ByteStream } from "@keepsake/core";

/**
 * What a snapshot spends its time with. Phases that feed each other go on at the same time: each counts what the one behind it
 * waited for it.
 */
export type Phase = "cut" | "capture" | "redact" | "compress" | "encrypt" | "store";

/** Where the time of one snapshot went, on the clock of the wall. */
export class PhaseTimes {
  readonly #ms = new Map<Phase, number>();

  async of<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.#add(phase, performance.now() - started);
    }
  }

  /** Counts the time until each chunk is there for `phase`, and not for the one that asks for it. */
  async *waitedFor(phase: Phase, by: Phase, input: ByteStream): AsyncGenerator<Uint8Array> {
    const iterator = input[Symbol.asyncIterator]();
    let isOver = false;
    try {
      for (;;) {
        const started = performance.now();
        const next = await iterator.next();
        const ms = performance.now() - started;
        this.#add(phase, ms);
        this.#add(by, -ms);
        if (next.done === true) break;
        yield next.value;
      }
      isOver = true;
    } finally {
      if (!isOver) await iterator.return?.();
    }
  }

  /** Whole milliseconds by phase; what took none is left out. */
  get all(): Readonly<Record<string, number>> {
    const rounded = [...this.#ms].map(([phase, ms]) => [phase, Math.round(ms)] as const);
    return Object.fromEntries(rounded.filter(([, ms]) => ms > 0));
  }

  #add(phase: Phase, ms: number): void {
    this.#ms.set(phase, (this.#ms.get(phase) ?? 0) + ms);
  }
}

import { sha256Hex } from "@keepsake/core";

/** Numbers from 0 to below 1 that hang on a seed and on the call: what kind, of what, and the how many-th of these. */
export class Chances {
  readonly #seed: number | string;
  readonly #counts = new Map<string, number>();

  constructor(seed: number | string) {
    this.#seed = seed;
  }

  /** Counts a call, and gives its numbers by name: each is the same however often it is asked for. */
  of(operation: string, subject: string): (name: string) => number {
    const call = `${operation} ${subject}`;
    const count = (this.#counts.get(call) ?? 0) + 1;
    this.#counts.set(call, count);
    return (name) => Number.parseInt(sha256Hex(`${this.#seed} ${call} ${count} ${name}`).slice(0, 12), 16) / 2 ** 48;
  }
}

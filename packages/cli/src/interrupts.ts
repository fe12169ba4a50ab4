import { ABORTED_EXIT } from "./errors/aborted-exit.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** While it lives, the first signal aborts and the second ends the process at once. */
export class Interrupts implements Disposable {
  readonly #controller = new AbortController();
  readonly #onFirst: () => void;

  /** @param onFirst called on the first signal, to tell the user what happens now */
  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
    for (const name of SIGNALS) process.on(name, this.#handle);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #handle = (): void => {
    if (this.#controller.signal.aborted) process.exit(ABORTED_EXIT);
    this.#controller.abort();
    this.#onFirst();
  };

  [Symbol.dispose](): void {
    for (const name of SIGNALS) process.off(name, this.#handle);
  }
}

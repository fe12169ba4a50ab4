import { ABORTED_EXIT } from "./errors/aborted-exit.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** setInterval's longest. */
const FOREVER_MS = 2_147_483_647;

/**
 * While it lives, the first signal aborts and the second ends the process at once; and the process goes on living: a
 * plugin that waits for something that does not keep Node alive would otherwise end it in the middle, in silence, with 13.
 */
export class Interrupts implements Disposable {
  readonly #controller = new AbortController();
  readonly #onFirst: () => void;
  readonly #alive = setInterval(() => undefined, FOREVER_MS);

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
    clearInterval(this.#alive);
    for (const name of SIGNALS) process.off(name, this.#handle);
  }
}

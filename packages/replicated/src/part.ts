import {
  type BundleStore,
  fromSystemError,
  isKeepsakeError,
  KeepsakeError,
  orAborted,
  type TellTrouble,
} from "@keepsake/core";

/** What a part answered, or why it did not. */
export type Answer<T> = { readonly value: T } | { readonly error: KeepsakeError };

/** After a silence a part is not asked again for so long, in milliseconds: every call would wait for it anew. */
const REST_AFTER_SILENCE_MS = 60_000;

/** One of the stores, which may be down: it is asked under a time limit, and what it fails with is told and not thrown. */
export class Part {
  readonly store: BundleStore;
  readonly #stallMs: number;
  readonly #tell: TellTrouble;
  #silence: { readonly untilMs: number; readonly error: KeepsakeError } | undefined;

  constructor(store: BundleStore, options: { readonly stallMs: number; readonly tell: TellTrouble }) {
    this.store = store;
    this.#stallMs = options.stallMs;
    this.#tell = options.tell;
  }

  get name(): string {
    return this.store.id;
  }

  get stallMs(): number {
    return this.#stallMs;
  }

  /**
   * @param call gets a signal that fires with the caller's, and when the part is given up
   * @throws the caller's reason when its signal fired, nothing else
   */
  async ask<T>(signal: AbortSignal | undefined, call: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
    signal?.throwIfAborted();
    if (this.#silence && Date.now() < this.#silence.untilMs) return { error: this.#silence.error };
    const giveUp = new AbortController();
    const both = signal ? AbortSignal.any([signal, giveUp.signal]) : giveUp.signal;
    const timer = setTimeout(() => giveUp.abort(this.silent()), this.#stallMs);
    try {
      return { value: await orAborted(call(both), both) };
    } catch (error) {
      signal?.throwIfAborted();
      return { error: this.failed(error) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Tells of a failure, and gives it a code. */
  failed(error: unknown): KeepsakeError {
    const typed = isKeepsakeError(error) ? error : asKeepsakeError(error, this.name);
    // What is there or is not there is an answer, and no trouble.
    if (typed.code !== "E_ALREADY_EXISTS" && typed.code !== "E_NOT_FOUND") {
      this.#tell({ store: this.name, code: typed.code, message: `The store ${this.name} failed: ${typed.message}` });
    }
    return typed;
  }

  /** Tells of copies that differ. */
  differs(message: string): void {
    this.#tell({ store: this.name, code: "differs", message });
  }

  silent(): KeepsakeError {
    const error = new KeepsakeError("E_IO", `The store ${this.name} gave no sign for ${this.#stallMs} ms.`, {
      context: { store: this.name, stall_ms: this.#stallMs },
    });
    this.#silence = { untilMs: Date.now() + REST_AFTER_SILENCE_MS, error };
    return error;
  }
}

function asKeepsakeError(error: unknown, name: string): KeepsakeError {
  const typed = fromSystemError(error, `The store ${name} failed`);
  if (isKeepsakeError(typed)) return typed;
  return new KeepsakeError(
    "E_IO",
    `The store ${name} failed: ${error instanceof Error ? error.message : String(error)}`,
    {
      cause: error,
    },
  );
}

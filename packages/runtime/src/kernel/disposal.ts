import { KeepsakeError } from "@keepsake/core";
import { withTimeLimit } from "./time-limit.js";

interface Held {
  readonly value: object;
  /** whose it is, for the message */
  readonly label: string;
}

function disposeFunction(value: object): (() => unknown) | undefined {
  const { [Symbol.asyncDispose]: async, [Symbol.dispose]: sync } = value as Partial<AsyncDisposable & Disposable>;
  const dispose = async ?? sync;
  return typeof dispose === "function" ? () => dispose.call(value) : undefined;
}

/** Remembers what was made, and disposes it in reverse order; each once, and all although one of them throws or hangs. */
export class DisposalStack {
  readonly #timeoutMs: number;
  readonly #held: Held[] = [];
  readonly #known = new WeakSet();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  add(value: unknown, label: string): void {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return;
    if (this.#known.has(value) || !disposeFunction(value)) return;
    this.#known.add(value);
    this.#held.push({ value, label });
  }

  /**
   * Empties the stack; a second call finds nothing to do.
   *
   * @throws KeepsakeError `E_PLUGIN_FAILED` at the end, with every error in the AggregateError that is its cause
   */
  async dispose(): Promise<void> {
    const errors: unknown[] = [];
    const labels: string[] = [];
    for (let next = this.#held.pop(); next; next = this.#held.pop()) {
      const { value, label } = next;
      try {
        await withTimeLimit(Promise.resolve(disposeFunction(value)?.()), this.#timeoutMs);
      } catch (error) {
        errors.push(error);
        labels.push(label);
      }
    }
    if (errors.length === 0) return;
    throw new KeepsakeError("E_PLUGIN_FAILED", `Closing failed for: ${labels.join(", ")}.`, {
      cause: new AggregateError(errors, "Some parts could not be closed."),
      context: { plugins: labels },
    });
  }
}

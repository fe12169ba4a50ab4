import { KeepsakeError } from "@keepsake/core";
import { TimeLimitError, withTimeLimit } from "./time-limit.js";

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

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
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
   * @throws KeepsakeError at the end, with every error in the AggregateError that is its cause: `E_PLUGIN_TIMEOUT` when all
   *   that failed took too long, else `E_PLUGIN_FAILED`
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
    const isLate = errors.every((error) => error instanceof TimeLimitError);
    const reasons = labels.map((label, index) => `${label} (${reasonOf(errors[index])})`);
    throw new KeepsakeError(
      isLate ? "E_PLUGIN_TIMEOUT" : "E_PLUGIN_FAILED",
      `Closing failed for: ${reasons.join(", ")}.`,
      {
        cause: new AggregateError(errors, "Some parts could not be closed."),
        context: { plugins: labels, ...(isLate ? { timeout_ms: this.#timeoutMs } : {}) },
      },
    );
  }
}

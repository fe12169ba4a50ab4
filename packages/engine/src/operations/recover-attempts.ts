import { isKeepsakeError, type JsonObject, KeepsakeError } from "@keepsake/core";
import type { RecoverReport } from "../memory-snapshotter.js";

interface Failure {
  /** the agent or the store */
  readonly where: JsonObject;
  readonly error: unknown;
}

/** What a recovery did, and what it could not do: the one is not lost for the other. */
export class RecoverAttempts {
  readonly restores: RecoverReport["restores"][number][] = [];
  readonly swept: string[] = [];
  readonly #failures: Failure[] = [];
  readonly #signal: AbortSignal | undefined;
  #attempts = 0;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** @throws the signal's reason, nothing else */
  async make(where: JsonObject, work: () => Promise<void>): Promise<void> {
    this.#signal?.throwIfAborted();
    this.#attempts++;
    try {
      await work();
    } catch (error) {
      this.#signal?.throwIfAborted();
      this.#failures.push({ where, error });
    }
  }

  /** @throws what failed first; as it is where nothing else was tried */
  report(): RecoverReport {
    const [first] = this.#failures;
    if (first === undefined) return { restores: this.restores, swept: this.swept };
    if (this.#attempts === 1 || !isKeepsakeError(first.error)) throw first.error;
    const { code, message, context, hint, retry } = first.error;
    const others = this.#failures.length - 1;
    const more = others === 0 ? "" : ` (${String(others)} more ${others === 1 ? "place" : "places"} failed, too)`;
    throw new KeepsakeError(code, `${message}${more}`, {
      cause: first.error,
      context: { ...context, ...this.#toldOf() },
      retry,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  #toldOf(): JsonObject {
    return {
      restores: this.restores.map(({ agentId, tenant, operationId, outcome }) => ({
        agent_id: agentId,
        tenant,
        operation_id: operationId,
        outcome,
      })),
      swept: this.swept,
      failures: this.#failures.map(({ where, error }) => ({
        ...where,
        ...(isKeepsakeError(error) ? { code: error.code } : {}),
        message: error instanceof Error ? error.message : String(error),
      })),
    };
  }
}

import type { ConformanceCase, ConformanceOptions } from "./conformance-case.js";
import { NotJudged } from "./not-judged.js";

/**
 * "not_checked": nothing could be said. Either the precondition of its suite failed, or this system has not what the case
 * looks with; then there is a `reason`.
 */
export type CaseStatus = "passed" | "inverse" | "failed" | "not_checked";

/** What became of one case. */
export interface CaseResult {
  readonly port: string;
  readonly id: string;
  readonly says: string;
  readonly status: CaseStatus;
  /** what it failed with */
  readonly error?: unknown;
  /** why it was not checked, where that is not the failure of another */
  readonly reason?: string;
}

/** What became of all cases. */
export interface ConformanceReport {
  /** true when no case failed */
  readonly ok: boolean;
  readonly results: readonly CaseResult[];
}

/**
 * Runs the cases one after the other, without a test runner. Never rejects for a case.
 *
 * @param options `onResult` is called as soon as a case has ended; `signal` stops before the next one
 */
export async function checkConformance(
  cases: readonly ConformanceCase[],
  options: ConformanceOptions & {
    readonly onResult?: (result: CaseResult) => void;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<ConformanceReport> {
  const results: CaseResult[] = [];
  const unsound = new Set<string>();
  for (const one of cases) {
    options.signal?.throwIfAborted();
    const { port, id, says } = one;
    const outcome = unsound.has(port) ? ({ status: "not_checked" } as const) : await outcomeOf(one, options);
    if (outcome.status === "failed" && one.isPrecondition) unsound.add(port);
    const result = { port, id, says, ...outcome };
    results.push(result);
    options.onResult?.(result);
  }
  return { ok: results.every(({ status }) => status !== "failed"), results };
}

async function outcomeOf(one: ConformanceCase, options: ConformanceOptions) {
  try {
    return { status: await one.run(options) };
  } catch (error) {
    if (error instanceof NotJudged) return { status: "not_checked" as const, reason: error.message };
    return { status: "failed" as const, error };
  }
}

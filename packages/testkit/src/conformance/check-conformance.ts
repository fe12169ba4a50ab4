import type { ConformanceCase, ConformanceOptions } from "./conformance-case.js";

/** "not_checked": the precondition of its suite failed, so that nothing could be said. */
export type CaseStatus = "passed" | "inverse" | "failed" | "not_checked";

/** What became of one case. */
export interface CaseResult {
  readonly port: string;
  readonly id: string;
  readonly says: string;
  readonly status: CaseStatus;
  /** what it failed with */
  readonly error?: unknown;
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
  return { ok: results.every(({ status }) => status === "passed" || status === "inverse"), results };
}

async function outcomeOf(one: ConformanceCase, options: ConformanceOptions) {
  try {
    return { status: await one.run(options) };
  } catch (error) {
    return { status: "failed" as const, error };
  }
}

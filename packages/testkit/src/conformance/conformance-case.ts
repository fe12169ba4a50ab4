/** How cases are run. */
export interface ConformanceOptions {
  /** Streams of 5 GiB instead of 64 MiB. Default false. */
  readonly large?: boolean | undefined;
  /** how much goes through where a case streams, when it is neither of the two; in bytes */
  readonly streamBytes?: number | undefined;
  /** What a case may take, in milliseconds; default 60,000, with `large` 1,800,000. */
  readonly limitMs?: number | undefined;
}

/** "inverse": the capability it needs is declared to be missing, and that is how it behaves. */
export type CaseOutcome = "passed" | "inverse";

/** A case of a suite, bound to what is tested. Plain data that any runner can run. */
export interface ConformanceCase {
  readonly port: string;
  readonly id: string;
  readonly says: string;
  /** the declared capability it is about */
  readonly needs?: string;
  /** true for the first of a suite: where it fails, nothing can be said of the others */
  readonly isPrecondition: boolean;
  /** @throws what is wrong; an error that names the case when it takes too long; `NotJudged` where this system cannot tell */
  run(options?: ConformanceOptions): Promise<CaseOutcome>;
}

/** What a case is given beside its subject. */
export interface CaseTools {
  /** A private folder of this case; exists, is empty, and goes when the case has ended. */
  readonly dir: string;
  /** how much goes through where a case streams */
  readonly streamBytes: number;
}

/** What a case asks, and what answers it. */
export type CaseRun<Subject> = (subject: Subject, tools: CaseTools) => Promise<void>;

/** One promise of a port as data. It fails by rejecting, but with `NotJudged` where this system cannot tell. */
export interface PortCase<Subject> {
  /** stable, "store.put.no-overwrite" */
  readonly id: string;
  /** the promise in one sentence */
  readonly says: string;
  /** The declared capability it is about. Where that is false, `inverse` is asked instead. */
  readonly needs?: { readonly capability: string; readonly inverse: CaseRun<Subject> };
  readonly run: CaseRun<Subject>;
}

/** All promises of one port. */
export interface PortSuite<Subject> {
  /** "store" */
  readonly port: string;
  /** The first case: where it fails, nothing can be said of the others. */
  readonly cases: readonly [PortCase<Subject>, ...PortCase<Subject>[]];
  /** what this subject declares, by name; every `needs` is one of these */
  capabilities(subject: Subject): Readonly<Record<string, boolean>>;
}

/** Makes the subjects of a suite. */
export interface SubjectFactory<Subject> {
  /**
   * A new subject that shares nothing with others: every case has its own.
   *
   * @param dir a private folder, removed when the case has ended; for what needs one
   */
  create(dir: string): Promise<Subject & Partial<AsyncDisposable>> | (Subject & Partial<AsyncDisposable>);
}

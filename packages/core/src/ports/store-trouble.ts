/** A store that others make up did what it was asked, although one of them did not take part. */
export interface StoreTrouble {
  /** the part: its name in the configuration */
  readonly store: string;
  /** a stable error code, or "differs" for copies of which nothing tells which is right */
  readonly code: string;
  /** whole sentences for people; no secret */
  readonly message: string;
}

/** Takes note of what went wrong without a call failing: the operation was done, and something is left to do. */
export type TellTrouble = (trouble: StoreTrouble) => void;

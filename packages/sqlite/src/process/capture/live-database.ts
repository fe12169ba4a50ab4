/**
 * One database of the live memory while it is captured. Every way of reading it keeps the same promises: what was there
 * stays as it was, bytes and sidecars, and nothing is left behind when it is closed.
 */
export interface LiveDatabase {
  /**
   * Stops commits until {@link release}. Does nothing where no lock can be had.
   *
   * @throws the SQLite error; a busy one when a writer is at it
   */
  hold(): void;
  /** Ends the hold; what was pinned stays pinned. */
  release(): void;
  /** Fixes what {@link copyTo} will copy. "fenced": only an equal fingerprint proves that it did. */
  pin(): "held" | "fenced";
  /** Lets go of what is pinned; it can be held and pinned again. */
  unpin(): void;
  /** Counts the commits of others, as long as it can be locked or pinned; "" where it cannot. For pins without a hold. */
  version(): string;
  /** A fingerprint of what neither a lock nor a pin protects; "" when nothing is unprotected. */
  fence(): string;
  /** True when writers wait for as long as the pin lasts, so that the copy must be made at once. */
  readonly blocksWriters: boolean;
  /** Writes a complete database without sidecars to the new file `target`, and lets go of the pin. */
  copyTo(target: string, signal: AbortSignal): Promise<void>;
  close(): void;
}

import type { BundleEntry } from "@keepsake/core";

/** A source's artifacts as its restore session takes them. */
export async function* entriesOf(entries: readonly BundleEntry[]): AsyncGenerator<BundleEntry> {
  yield* entries;
}

import type { OpOptions, StoredObject } from "@keepsake/core";

/** One listing of several that are merged. */
export interface Listing<T> {
  readonly from: T;
  readonly objects: AsyncIterable<StoredObject>;
  /**
   * Called when it breaks off, with what it failed with. The others go on.
   *
   * @throws when the merged listing is to fail as well
   */
  failed(error: unknown): void;
}

/** An object of a merged listing, and whose it is. */
export interface Listed<T> {
  readonly from: T;
  readonly object: StoredObject;
}

interface Open<T> {
  readonly listing: Listing<T>;
  readonly iterator: AsyncIterator<StoredObject>;
  head: StoredObject | undefined;
}

/**
 * Merges listings that are each in ascending order of their keys' UTF-8 bytes. Of each key all its objects come together, in
 * the order of the listings. Holds one object of each.
 */
export async function* mergeLists<T>(
  listings: readonly Listing<T>[],
  { signal }: OpOptions,
): AsyncGenerator<readonly Listed<T>[]> {
  const open: Open<T>[] = listings.map((listing) => ({
    listing,
    iterator: listing.objects[Symbol.asyncIterator](),
    head: undefined,
  }));
  try {
    await Promise.all(open.map((one) => advance(one, signal)));
    for (;;) {
      const keys = open.flatMap(({ head }) => (head ? [head.key] : []));
      const [first] = keys.toSorted(byBytes);
      if (first === undefined) return;
      const having = open.filter(({ head }) => head?.key === first);
      yield having.flatMap(({ listing, head }) => (head ? [{ from: listing.from, object: head }] : []));
      signal?.throwIfAborted();
      await Promise.all(having.map((one) => advance(one, signal)));
    }
  } finally {
    for (const { iterator } of open) await iterator.return?.();
  }
}

async function advance<T>(one: Open<T>, signal: AbortSignal | undefined): Promise<void> {
  try {
    const step = await one.iterator.next();
    one.head = step.done === true ? undefined : step.value;
  } catch (error) {
    signal?.throwIfAborted();
    one.head = undefined;
    one.listing.failed(error);
  }
}

function byBytes(a: string, b: string): number {
  // Strings compare by UTF-16 units, which is another order beyond the first 65,536 characters.
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

import {
  type BundleStore,
  type ByteStream,
  KeepsakeError,
  type RangedBytes,
  type SnapshotRecord,
} from "@keepsake/core";

/** A stored bundle of which parts can be read by themselves, and what its record says of it. */
export interface RangedBundle {
  readonly record: SnapshotRecord;
  readonly bytes: RangedBytes;
}

/** Where a bundle lies in a store, and how long it is. */
export type BundlePlace = Pick<SnapshotRecord, "bundlePath" | "bundleSizeBytes">;

/** @returns undefined for a store that gives no parts of its objects */
export function rangedInStore(store: BundleStore, record: SnapshotRecord): RangedBundle | undefined {
  return store.capabilities.ranges ? { record, bytes: rangesOf(store, record) } : undefined;
}

/** @param store one that gives parts of its objects */
export function rangesOf(store: BundleStore, place: BundlePlace): RangedBytes {
  const { bundlePath, bundleSizeBytes: sizeBytes } = place;
  return {
    sizeBytes,
    async *read({ start, length }, options): ByteStream {
      const expected = Math.max(0, Math.min(length, sizeBytes - start));
      if (expected === 0) return;
      const { object, body } = await store.get(bundlePath, { ...options, range: { start, length: expected } });
      if (object.sizeBytes !== sizeBytes) throw otherLength(place);
      let read = 0;
      for await (const chunk of body) {
        read += chunk.length;
        yield chunk;
      }
      if (read !== expected) throw otherLength(place);
    },
  };
}

function otherLength({ bundlePath, bundleSizeBytes }: BundlePlace): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", `${bundlePath} is not as long as its record says.`, {
    context: { expected: bundleSizeBytes },
  });
}

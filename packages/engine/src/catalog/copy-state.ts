import { digestOf, isKeepsakeError, type SnapshotRecord } from "@keepsake/core";
import { originInStore } from "../bundle/bundle-origin.js";
import { digestKey } from "../layout.js";
import type { SyncStore } from "../memory-snapshotter.js";

/** What one store has of a snapshot, held against its record. "unread": of the right size, and its bytes were not looked at. */
export interface CopyState {
  readonly bundle: "right" | "unread" | "wrong" | "missing";
  readonly digest: "right" | "wrong" | "missing";
}

/** Whether everything is there and nothing of it is known to be wrong. */
export function isInOrder({ bundle, digest }: CopyState): boolean {
  return (bundle === "right" || bundle === "unread") && digest === "right";
}

/**
 * Compares a bundle and the digest beside it with the record.
 *
 * @param deep read the bundle, whatever the rest says; else it is read only where the digest beside it is wrong, which may
 *   mean that either of them is
 */
export async function copyState(
  { store }: SyncStore,
  { bundlePath, bundleSizeBytes, fileSha256 }: SnapshotRecord,
  { deep, signal }: { readonly deep: boolean; readonly signal: AbortSignal },
): Promise<CopyState> {
  const found = await store.head(bundlePath, { signal });
  const digest = await digestState({ store, bundlePath, fileSha256 }, signal);
  if (found === undefined) return { bundle: "missing", digest };
  if (found.sizeBytes !== bundleSizeBytes) return { bundle: "wrong", digest };
  if (!deep && digest !== "wrong") return { bundle: "unread", digest };
  const { sha256 } = await digestOf((await store.get(bundlePath, { signal })).body);
  return { bundle: sha256 === fileSha256 ? "right" : "wrong", digest };
}

async function digestState(
  { store, bundlePath, fileSha256 }: Pick<SyncStore, "store"> & Pick<SnapshotRecord, "bundlePath" | "fileSha256">,
  signal: AbortSignal,
): Promise<CopyState["digest"]> {
  if ((await store.head(digestKey(bundlePath), { signal })) === undefined) return "missing";
  try {
    const recorded = await originInStore(store, bundlePath).recordedDigest(signal);
    return recorded === fileSha256 ? "right" : "wrong";
  } catch (error) {
    // What is no digest at all, or endless.
    if (isKeepsakeError(error, "E_INTEGRITY") || isKeepsakeError(error, "E_LIMIT")) return "wrong";
    throw error;
  }
}

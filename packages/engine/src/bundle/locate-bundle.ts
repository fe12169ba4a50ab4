import type { AgentRef, BundleStore, OpOptions, SnapshotRecord } from "@keepsake/core";
import { SnapshotCatalog } from "../catalog/snapshot-catalog.js";
import { type BundleOrigin, originInStore } from "./bundle-origin.js";

/** A snapshot of a store and the way to its bytes. */
export interface LocatedBundle {
  readonly record: SnapshotRecord;
  readonly origin: BundleOrigin;
}

/** @throws KeepsakeError `E_NOT_FOUND`, `E_AMBIGUOUS_REF`, `E_INVALID_ID` */
export async function locateBundle(
  store: BundleStore,
  ref: AgentRef,
  reference: string,
  options: OpOptions,
): Promise<LocatedBundle> {
  const record = await new SnapshotCatalog(store).resolve(ref, reference, options);
  return { record, origin: originInStore(store, record.bundlePath) };
}

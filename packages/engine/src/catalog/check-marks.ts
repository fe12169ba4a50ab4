import {
  type AgentRef,
  type BundleStore,
  isKeepsakeError,
  type Logger,
  type OpOptions,
  type SnapshotId,
  type SnapshotRecord,
} from "@keepsake/core";
import { SnapshotCatalog } from "./snapshot-catalog.js";

/** What a record says of the checks that its bundle passed. */
export interface CheckMarks {
  /** `file_digest` and all that verify looks at inside */
  readonly verified: "passed" | "failed" | "unchanged";
  /** how long the restore into scratch took, in milliseconds, when that passed, too */
  readonly proven: { readonly restoreMs: number } | "failed" | "unchanged";
  readonly atMs: number;
}

/** The record with new marks. A bundle that fails is no longer called what it was once found to be. */
export function withMarks(record: SnapshotRecord, { verified, proven, atMs }: CheckMarks): SnapshotRecord {
  const { verifiedAtMs, provenAtMs, provenRestoreMs, ...rest } = record;
  const formerVerified = verifiedAtMs === undefined ? {} : { verifiedAtMs };
  const formerProven = {
    ...(provenAtMs === undefined ? {} : { provenAtMs }),
    ...(provenRestoreMs === undefined ? {} : { provenRestoreMs }),
  };
  if (verified === "failed") return rest;
  return {
    ...rest,
    ...(verified === "passed" ? { verifiedAtMs: atMs } : formerVerified),
    ...(proven === "failed"
      ? {}
      : proven === "unchanged"
        ? formerProven
        : { provenAtMs: atMs, provenRestoreMs: proven.restoreMs }),
  };
}

/**
 * Marks a record as it is by now. The caller holds the agent's lock: without it a snapshot that is deleted meanwhile would
 * exist again. Where the store only reads, nothing is noted, and that is no failure.
 *
 * @returns the record as it is now; undefined when it could not be marked
 */
export async function markRecord(
  store: BundleStore,
  ref: AgentRef,
  id: SnapshotId,
  marks: CheckMarks,
  { logger, signal }: OpOptions & { readonly logger: Logger },
): Promise<SnapshotRecord | undefined> {
  const catalog = new SnapshotCatalog(store);
  try {
    const marked = withMarks(await catalog.resolve(ref, id, { signal }), marks);
    return (await catalog.amend(marked, { signal })) ? marked : undefined;
  } catch (error) {
    if (!isKeepsakeError(error)) throw error;
    if (error.code !== "E_NOT_FOUND") logger.warn("what a check found could not be noted", { id, code: error.code });
    return undefined;
  }
}

import type { SnapshotRecord } from "@keepsake/core";

/**
 * Why a snapshot may never be deleted: it is the agent's "last", or the "newest_verified". Undefined when it may.
 *
 * @param all every snapshot of the agent, in any order
 */
export function isIndispensable(
  record: SnapshotRecord,
  all: readonly SnapshotRecord[],
): "last" | "newest_verified" | undefined {
  if (all.every(({ id }) => id === record.id)) return "last";
  const verified = all.filter(
    (candidate) => candidate.verifiedAtMs !== undefined || candidate.provenAtMs !== undefined,
  );
  const newest = verified.reduce<SnapshotRecord | undefined>(
    (best, candidate) => (best === undefined || candidate.id > best.id ? candidate : best),
    undefined,
  );
  return newest?.id === record.id ? "newest_verified" : undefined;
}

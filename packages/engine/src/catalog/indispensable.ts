import type { SnapshotRecord } from "@keepsake/core";

/** Why a snapshot may never be deleted. */
export type Indispensable = "last" | "newest_proven" | "newest_verified";

/**
 * Why a snapshot may never be deleted, or undefined when it may. A newer one that was only verified is no reason to let the
 * newest one go that was seen to be restorable: both stay.
 *
 * @param all every snapshot of the agent, in any order
 */
export function isIndispensable(record: SnapshotRecord, all: readonly SnapshotRecord[]): Indispensable | undefined {
  if (all.every(({ id }) => id === record.id)) return "last";
  const isProven = ({ provenAtMs }: SnapshotRecord) => provenAtMs !== undefined;
  if (newestOf(all.filter(isProven)) === record.id) return "newest_proven";
  const isVerified = (candidate: SnapshotRecord) => candidate.verifiedAtMs !== undefined || isProven(candidate);
  return newestOf(all.filter(isVerified)) === record.id ? "newest_verified" : undefined;
}

/** Ids sort by time. */
function newestOf(records: readonly SnapshotRecord[]): string | undefined {
  return records.reduce<string | undefined>((best, { id }) => (best === undefined || id > best ? id : best), undefined);
}

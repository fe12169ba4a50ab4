import type { Manifest, SnapshotRecord } from "@keepsake/core";

/** What is known of a bundle beside its manifest. */
export interface StoredBundle {
  readonly bundlePath: string;
  readonly sizeBytes: number;
  readonly fileSha256: string;
  readonly codecs: readonly string[];
  readonly privateLabel: boolean;
  /** where the time went that writing it took, in milliseconds; unknown for a bundle from elsewhere */
  readonly phasesMs?: Readonly<Record<string, number>>;
}

/** The record of a bundle. It holds no file names and no content, so it may lie beside an encrypted bundle. */
export function recordOf(manifest: Manifest, stored: StoredBundle): SnapshotRecord {
  const { encryption, label } = manifest;
  return {
    recordVersion: 1,
    id: manifest.snapshotId,
    agentId: manifest.agentId,
    tenant: manifest.tenant,
    ...(label !== undefined && !stored.privateLabel ? { label } : {}),
    createdAtMs: manifest.createdAtMs,
    createdBy: manifest.createdBy,
    bundlePath: stored.bundlePath,
    bundleSizeBytes: stored.sizeBytes,
    bundleSha256: manifest.bundleSha256,
    fileSha256: stored.fileSha256,
    manifestSeal: manifest.seal.digest,
    gitOid: manifest.git.headOid,
    // The names of databases are file names: for an encrypted bundle they stay inside.
    schemaVersions: encryption === undefined ? manifest.schemaVersions : {},
    encrypted: encryption !== undefined,
    redactionsApplied: isRedacted(manifest),
    codecs: [...stored.codecs],
    artifactCount: manifest.artifacts.length,
    complete: isComplete(manifest),
    ...(encryption === undefined ? {} : { recipientsFingerprint: encryption.recipientsFingerprint }),
    ...(stored.phasesMs?.["capture"] === undefined ? {} : { phasesMs: { ...stored.phasesMs } }),
  };
}

/** True when a redaction took something out: a secret, or an index that holds no text to make it of again. */
export function isRedacted({ redactions }: Pick<Manifest, "redactions">): boolean {
  if (redactions === undefined) return false;
  const lost = redactions.unscanned.some(({ reason }) => reason === "emptied_index");
  return lost || redactions.matchesRedacted > 0 || redactions.history.some(({ outcome }) => outcome === "omitted");
}

/** Omissions that leave nothing out which could have been captured, or that the user asked for. */
const HARMLESS = new Set(["excluded", "special_file"]);

/** False when something expected was absent, or something there could not be captured. */
export function isComplete(manifest: Pick<Manifest, "sources" | "omitted">): boolean {
  const missing = manifest.sources.some((source) => source.required && source.status === "absent");
  return !missing && manifest.omitted.every((omission) => HARMLESS.has(omission.reason));
}

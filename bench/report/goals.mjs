/** What Keepsake is held to, as a share of what another one takes in the same run. */

const plain = "keepsake";
const encrypted = "keepsake encrypted";

/** `measure`: what is compared, else the time. */
export const GOALS = [
  { operation: "first", subject: plain, peer: "restic", limit: 0.6 },
  { operation: "first", subject: plain, peer: "borg lz4", limit: 1 },
  { operation: "first", subject: plain, peer: "tar|zstd", limit: 1.1 },
  { operation: "first", subject: encrypted, peer: "restic", limit: 0.6 },
  { operation: "first", subject: encrypted, peer: "tar|zstd|age", limit: 1.3 },
  { operation: "next", subject: plain, peer: "restic", limit: 1 },
  { operation: "next", subject: encrypted, peer: "restic", limit: 1 },
  { operation: "unchanged", subject: plain, peer: "restic", limit: 0.3 },
  { operation: "unchanged", subject: encrypted, peer: "restic", limit: 0.3 },
  { operation: "verify", subject: plain, peer: "restic", limit: 0.6 },
  { operation: "verify", subject: plain, peer: "sha256sum", limit: 1 / 0.6 },
  { operation: "verify", subject: encrypted, peer: "restic", limit: 0.6 },
  { operation: "restore-over", subject: plain, peer: "restic", limit: 0.8 },
  { operation: "restore-over", subject: encrypted, peer: "restic", limit: 0.8 },
  { operation: "restore-empty", subject: plain, peer: "tar|zstd", limit: 1 },
  { operation: "restore-empty", subject: encrypted, peer: "tar|zstd|age", limit: 1 },
  { operation: "list", subject: plain, peer: "restic", limit: 0.2 },
  { operation: "first", subject: "keepsake S3", peer: "restic S3", limit: 0.6 },
  { operation: "first", subject: "keepsake encrypted S3", peer: "restic S3", limit: 0.6 },
];

/** What is not to be exceeded, whoever else takes how much. */
export const CEILINGS = [
  {
    measure: "rssBytes",
    title: "peak memory of all processes",
    limit: 200 * 1024 * 1024,
    unit: "MiB",
    scale: 1024 * 1024,
  },
  { measure: "loopP99Ms", title: "event loop, p99", limit: 20, unit: "ms", scale: 1 },
  { measure: "heldMs", title: "writers held", limit: 10, unit: "ms", scale: 1 },
];

/** How much is stored after one snapshot, against the pipeline. */
export const STORED_GOALS = [
  { subject: plain, peer: "tar|zstd", limit: 1.02 },
  { subject: encrypted, peer: "tar|zstd|age", limit: 1.02 },
];

import { borg } from "./borg.mjs";
import { keepsake } from "./keepsake.mjs";
import { limits } from "./limits.mjs";
import { pipeline } from "./pipeline.mjs";
import { restic } from "./restic.mjs";

/**
 * Who takes part.
 *
 * @param options `s3`: where a bucket is, if there is one; `peers`: whether others than Keepsake take part; `redacted`: whether it
 *  is measured as the defaults are, too
 * @returns those that are installed, each with its `kind` (`store`, or `limit`: it keeps nothing) and its `version`, and the names of those that are not
 */
export function contenders({ s3, peers = true, redacted = false }) {
  const ours = [keepsake(), keepsake({ encrypted: true }), ...(redacted ? [keepsake({ redacted: true })] : [])];
  const theirs = [restic(), borg("lz4"), borg("zstd,3"), pipeline(), pipeline({ encrypted: true })];
  const remote = s3 ? [keepsake({ s3 }), keepsake({ encrypted: true, s3 }), ...(peers ? [restic({ s3 })] : [])] : [];
  const all = [...ours, ...(peers ? [...theirs, ...limits()] : []), ...remote].map((one) => ({
    kind: "store",
    ...one,
    version: one.version(),
  }));
  return {
    present: all.filter(({ version }) => version !== undefined),
    missing: all.filter(({ version }) => version === undefined).map(({ name }) => name),
  };
}

/** The bucket of `node scripts/s3-server.mjs`. @returns nothing when there is none */
export function bucketOf(env) {
  if (env.KEEPSAKE_TEST_S3 === undefined) return undefined;
  const { origin, pathname } = new URL(env.KEEPSAKE_TEST_S3);
  return { endpoint: origin, bucket: pathname.slice(1) };
}

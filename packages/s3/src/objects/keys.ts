import { isArtifactPath, KeepsakeError, parseArtifactPath } from "@keepsake/core";

/** The folder, at the top of a store, of what this package keeps for itself: what it knows of the server, and locks. */
export const OWN_FOLDER = ".keepsake-s3/";

/** S3's own limit, in UTF-8 bytes. */
const MAX_KEY_BYTES = 1024;

/**
 * The key in the bucket of a store's object.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH` when it is no path, or a name that is kept for this package
 */
export function bucketKey(prefix: string, key: string): string {
  const path = parseArtifactPath(key);
  if (`${path}/`.startsWith(OWN_FOLDER)) {
    throw new KeepsakeError("E_UNSAFE_PATH", `No object may be called ${JSON.stringify(key)}.`, {
      context: { path: key },
    });
  }
  return prefix + path;
}

/** The store's key of an object in the bucket, or undefined for what is none of a store's. */
export function storeKey(prefix: string, key: string): string | undefined {
  if (!key.startsWith(prefix)) return undefined;
  const path = key.slice(prefix.length);
  return isArtifactPath(path) && !path.startsWith(OWN_FOLDER) ? path : undefined;
}

/** False for a key that no object can have. */
export function fitsBucket(key: string): boolean {
  return Buffer.byteLength(key) <= MAX_KEY_BYTES;
}

/** An ETag as all servers compare it; they write it with quotes or without. */
export function bareTag(etag: string | undefined): string {
  return (etag ?? "").replaceAll('"', "");
}

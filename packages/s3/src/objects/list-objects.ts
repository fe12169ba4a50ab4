import { KeepsakeError, parseArtifactPath, type StoredObject } from "@keepsake/core";
import type { S3Connection } from "../connection/s3-connection.js";
import { storeKey } from "./keys.js";
import { wholeSeconds } from "./object-facts.js";

/**
 * Every object below the connection's prefix whose key begins with `prefix`, by ascending key in UTF-8 byte order. Holds
 * one page, of 1,000.
 *
 * @throws KeepsakeError `E_UNSUPPORTED` from a server that lists in another order
 */
export async function* listObjects(
  connection: S3Connection,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredObject> {
  const folder = prefix.slice(0, Math.max(prefix.lastIndexOf("/"), 0));
  if (folder !== "") parseArtifactPath(folder);
  let last = Buffer.alloc(0);
  for await (const { rawKey, sizeBytes, modifiedAtMs } of pagesBelow(
    connection,
    connection.prefix + wellFormedPart(prefix),
    signal,
  )) {
    signal?.throwIfAborted();
    const raw = Buffer.from(rawKey);
    if (raw.compare(last) <= 0) throw unordered(connection);
    last = raw;
    const key = storeKey(connection.prefix, rawKey);
    if (key?.startsWith(prefix) === true) yield { key, sizeBytes, modifiedAtMs };
  }
}

/** An object as it stands in the bucket. */
export interface ListedObject {
  readonly rawKey: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

/** @param prefix in the bucket */
export async function* pagesBelow(
  connection: S3Connection,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedObject> {
  const sentence = "The store could not be listed";
  let ContinuationToken: string | undefined;
  do {
    const page = await connection.call({ sentence, context: { prefix }, signal }, ({ sdk, client, bucket, http }) =>
      client.send(
        new sdk.ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
          // Without it a key that XML cannot hold breaks the whole page.
          EncodingType: "url",
        }),
        http,
      ),
    );
    for (const { Key = "", Size = 0, LastModified } of page.Contents ?? []) {
      yield { rawKey: decoded(Key), sizeBytes: Size, modifiedAtMs: wholeSeconds(LastModified) };
    }
    ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (ContinuationToken !== undefined);
}

/** Servers write a blank as `+` or as `%20`; a plus sign is `%2B` to both. */
export function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    return key;
  }
}

/** What of a prefix can be asked for; the rest is compared here. */
function wellFormedPart(prefix: string): string {
  return prefix.isWellFormed() ? prefix : (prefix.slice(0, -1).toWellFormed().split("\uFFFD")[0] ?? "");
}

function unordered(connection: S3Connection): KeepsakeError {
  return new KeepsakeError("E_UNSUPPORTED", `${connection.describe()} does not list keys in their order.`, {
    context: { bucket: connection.bucket },
    hint: "Directory buckets cannot hold a store.",
  });
}

import type { OpOptions } from "@keepsake/core";
import type { S3Connection } from "../connection/s3-connection.js";
import { pagesBelow } from "../objects/list-objects.js";
import { abortUpload } from "../objects/multipart-upload.js";
import { deleteObject } from "../objects/object-facts.js";
import { unfinishedUploads } from "../objects/unfinished-uploads.js";
import { TRIAL_FOLDER } from "./probe-server.js";

/**
 * Removes uploads of which nothing arrived for a while, and what a trial left. Times are compared by the server's clock.
 *
 * @returns what was removed, by its key below the prefix
 */
export async function sweepPlace(
  connection: S3Connection,
  { olderThanMs, signal }: OpOptions & { readonly olderThanMs: number },
): Promise<readonly string[]> {
  const removed: string[] = [];
  const isOld = (ms: number): boolean => (connection.clock.now() ?? Date.now()) - ms > olderThanMs;
  for await (const { key, uploadId, activeAtMs } of unfinishedUploads(connection, { signal })) {
    if (!isOld(activeAtMs)) continue;
    if (await abortUpload(connection, key, uploadId, signal)) removed.push(`${below(key)} (unfinished upload)`);
  }
  for await (const { rawKey, modifiedAtMs } of pagesBelow(connection, connection.prefix + TRIAL_FOLDER, signal)) {
    if (!isOld(modifiedAtMs)) continue;
    await deleteObject(connection, rawKey, { signal });
    removed.push(below(rawKey));
  }
  return removed;

  function below(key: string): string {
    return key.slice(connection.prefix.length);
  }
}

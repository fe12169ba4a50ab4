import { isKeepsakeError, KeepsakeError, type OpOptions } from "@keepsake/core";
import type { S3Connection } from "../connection/s3-connection.js";
import { bareTag } from "./keys.js";

/** What the server says of an object. */
export interface ObjectFacts {
  readonly sizeBytes: number;
  /** milliseconds since 1970, in whole seconds: an answer to HEAD has no others, and times must compare */
  readonly modifiedAtMs: number;
  /** without quotes */
  readonly etag: string;
  /** who wrote it, see {@link WRITER} */
  readonly writer: string | undefined;
}

/**
 * The object's metadata that names the one `put` that wrote it. Where an answer was lost and the call made again, the server
 * says "there is one already" of our own object: by this it is known.
 */
export const WRITER = "keepsake-writer";

/** @returns undefined when there is no such object. @throws KeepsakeError, also `E_CONFIG` when there is no such bucket */
export async function headObject(
  connection: S3Connection,
  key: string,
  { signal }: OpOptions = {},
): Promise<ObjectFacts | undefined> {
  try {
    const sentence = `The object ${JSON.stringify(key)} could not be looked up`;
    const answer = await connection.call({ sentence, context: { key }, signal }, ({ sdk, client, bucket, http }) =>
      client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }), http),
    );
    return {
      sizeBytes: answer.ContentLength ?? 0,
      modifiedAtMs: wholeSeconds(answer.LastModified),
      etag: bareTag(answer.ETag),
      writer: answer.Metadata?.[WRITER],
    };
  } catch (error) {
    if (isKeepsakeError(error, "E_NOT_FOUND")) return undefined;
    throw error;
  }
}

/** Removes an object; that there is none is no error to the server either. */
export async function deleteObject(connection: S3Connection, key: string, { signal }: OpOptions = {}): Promise<void> {
  const sentence = `The object ${JSON.stringify(key)} could not be deleted`;
  await connection.call({ sentence, context: { key }, signal }, ({ sdk, client, bucket, http }) =>
    client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key }), http),
  );
}

export function wholeSeconds(date: Date | undefined): number {
  return Math.floor((date?.getTime() ?? 0) / 1000) * 1000;
}

export function notFound(key: string): KeepsakeError {
  return new KeepsakeError("E_NOT_FOUND", `There is no object ${JSON.stringify(key)}.`, { context: { key } });
}

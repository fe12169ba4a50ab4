import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { collectBytes, isKeepsakeError, type OpOptions } from "@keepsake/core";
import type { S3Connection } from "../connection/s3-connection.js";
import { bareTag } from "./keys.js";

/** A small object, read whole. */
export interface SmallObject {
  readonly bytes: Uint8Array;
  /** without quotes */
  readonly etag: string;
  /** by the server's clock, milliseconds since 1970 */
  readonly modifiedAtMs: number;
}

/** What a write is made under. */
export interface SmallWrite extends OpOptions {
  /** further headers; `IfNoneMatch` and `IfMatch` among them */
  readonly headers?: Partial<PutObjectCommandInput>;
}

/** The digests a server checks what arrives by. */
export interface Digests {
  readonly sha256: boolean;
  readonly md5: boolean;
}

/** MD5 is what every server knows; with SHA-256 it is not needed. */
export const UNTRIED_DIGESTS: Digests = { sha256: false, md5: true };

const CONFLICT_ATTEMPTS = 10;

/**
 * Writes an object in one call. @returns its ETag, without quotes
 *
 * @throws KeepsakeError `E_ALREADY_EXISTS` when the condition in `headers` does not hold
 */
export async function putSmall(
  connection: S3Connection,
  key: string,
  bytes: Uint8Array,
  { headers = {}, signal }: SmallWrite = {},
  digests: Digests = UNTRIED_DIGESTS,
): Promise<string> {
  const sentence = `The object ${JSON.stringify(key)} could not be written`;
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await connection.call({ sentence, context: { key }, signal }, ({ sdk, client, bucket, http }) =>
        client.send(
          new sdk.PutObjectCommand({
            Bucket: bucket,
            Key: key,
            Body: bytes,
            ContentLength: bytes.length,
            ...digestHeaders(bytes, digests),
            ...connection.encryption,
            ...headers,
          }),
          http,
        ),
      );
      return bareTag(answer.ETag);
    } catch (error) {
      // 409: two conditional writes met, and the server has not decided; asked again, it has.
      const undecided = isKeepsakeError(error, "E_IO") && error.context["status"] === 409;
      if (!undecided || attempt === CONFLICT_ATTEMPTS) throw error;
      await delay(20 * attempt, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }
}

/** The headers by which the server can tell that bytes changed on the way. */
export function digestHeaders(
  bytes: Uint8Array,
  { sha256, md5 }: Digests,
): Pick<PutObjectCommandInput, "ContentMD5" | "ChecksumAlgorithm" | "ChecksumSHA256"> {
  const digest = (algorithm: string): string => createHash(algorithm).update(bytes).digest("base64");
  if (sha256) return { ChecksumAlgorithm: "SHA256", ChecksumSHA256: digest("sha256") };
  return md5 ? { ContentMD5: digest("md5") } : {};
}

/** @returns undefined when there is no such object. @throws KeepsakeError, also `E_LIMIT` for one that is not small */
export async function getSmall(
  connection: S3Connection,
  key: string,
  maxBytes: number,
  { signal }: OpOptions = {},
): Promise<SmallObject | undefined> {
  const sentence = `The object ${JSON.stringify(key)} could not be read`;
  try {
    return await connection.call({ sentence, context: { key }, signal }, async ({ sdk, client, bucket, http }) => {
      const answer = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }), http);
      const bytes = await collectBytes((answer.Body ?? []) as AsyncIterable<Uint8Array>, maxBytes);
      return { bytes, etag: bareTag(answer.ETag), modifiedAtMs: answer.LastModified?.getTime() ?? 0 };
    });
  } catch (error) {
    if (isKeepsakeError(error, "E_NOT_FOUND")) return undefined;
    throw error;
  }
}

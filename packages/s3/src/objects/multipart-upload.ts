import type { CompletedPart, PutObjectCommandInput } from "@aws-sdk/client-s3";
import { isKeepsakeError, KeepsakeError, orAborted } from "@keepsake/core";
import type { Line, S3Connection } from "../connection/s3-connection.js";
import type { Part, PartReader } from "./part-reader.js";
import { MAX_PARTS, partBytesOf } from "./part-sizes.js";
import { digestHeaders, type Digests } from "./small-object.js";

/** How a large object is sent. */
export interface MultipartOptions {
  readonly partBytes: number;
  /** how many parts are under way at once, beside the one that is being read */
  readonly parallel: number;
  readonly digests: Digests;
  readonly headers: Partial<PutObjectCommandInput>;
}

/** Where a large object goes. */
export interface MultipartTarget {
  readonly connection: S3Connection;
  readonly key: string;
  readonly signal: AbortSignal | undefined;
}

const CLEAN_UP_LIMIT_MS = 15_000;

/** An upload in parts: nothing of it can be seen before it is completed. */
export class MultipartUpload {
  readonly #target: MultipartTarget;
  readonly #options: MultipartOptions;
  readonly #uploadId: string;
  readonly #parts: CompletedPart[] = [];
  sizeBytes = 0;

  private constructor(target: MultipartTarget, options: MultipartOptions, uploadId: string) {
    this.#target = target;
    this.#options = options;
    this.#uploadId = uploadId;
  }

  static async begin(target: MultipartTarget, options: MultipartOptions): Promise<MultipartUpload> {
    const { connection, key, signal } = target;
    const { digests, headers } = options;
    const sentence = `The upload of ${JSON.stringify(key)} could not be begun`;
    const answer = await connection.call({ sentence, context: { key }, signal }, ({ sdk, client, bucket, http }) =>
      client.send(
        new sdk.CreateMultipartUploadCommand({
          Bucket: bucket,
          Key: key,
          ...(digests.sha256 ? { ChecksumAlgorithm: "SHA256" as const } : {}),
          ...connection.encryption,
          ...headers,
        }),
        http,
      ),
    );
    if (answer.UploadId === undefined) throw new KeepsakeError("E_IO", `${sentence}: the server gave no id.`);
    return new MultipartUpload(target, options, answer.UploadId);
  }

  /** Sends the first part and all that the reader still has. */
  async send(first: Part, reader: PartReader): Promise<void> {
    const stop = new AbortController();
    const { signal } = this.#target;
    const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const underWay = new Set<Promise<void>>();
    try {
      let part = first;
      for (let number = 1; ; number++) {
        if (number > MAX_PARTS) throw this.#tooLarge();
        const sending = this.#sendPart(number, part.bytes, stopped).finally(() => underWay.delete(sending));
        // Who waits for it learns of its failure; until then it must not count as nobody's.
        sending.catch((error: unknown) => stop.abort(error));
        underWay.add(sending);
        this.sizeBytes += part.bytes.length;
        if (part.isLast) break;
        if (underWay.size >= this.#options.parallel) await Promise.race(underWay);
        // A body that is silent must not keep a part's failure from being told.
        part = await orAborted(reader.next(partBytesOf(number + 1, this.#options.partBytes)), stopped);
      }
      await Promise.all(underWay);
    } catch (error) {
      stop.abort(error);
      // A part that still arrives after the upload was aborted would stay.
      await Promise.allSettled(underWay);
      throw stop.signal.reason;
    }
  }

  /**
   * Makes the object visible.
   *
   * @param ifAbsent only when there is none; servers that do not know this overwrite all the same
   * @throws KeepsakeError `E_ALREADY_EXISTS`, `E_NOT_FOUND` when the upload is gone, also because it was completed before
   */
  async complete(ifAbsent: boolean): Promise<void> {
    const { key, signal, connection } = this.#target;
    const sentence = `The upload of ${JSON.stringify(key)} could not be completed`;
    await connection.call({ sentence, context: { key }, signal }, ({ sdk, client, http, bucket }) =>
      client.send(
        new sdk.CompleteMultipartUploadCommand({
          Bucket: bucket,
          Key: key,
          UploadId: this.#uploadId,
          MultipartUpload: { Parts: this.#parts },
          ...(ifAbsent ? { IfNoneMatch: "*" } : {}),
        }),
        http,
      ),
    );
  }

  /** Drops all that was sent, if the server can be reached; else a sweep does later. */
  async abort(): Promise<void> {
    const { key, connection } = this.#target;
    await abortUpload(connection, key, this.#uploadId, AbortSignal.timeout(CLEAN_UP_LIMIT_MS)).catch(() => undefined);
  }

  async #sendPart(number: number, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const { key, connection } = this.#target;
    const sentence = `Part ${String(number)} of ${JSON.stringify(key)} could not be sent`;
    const digests = digestHeaders(bytes, this.#options.digests);
    const send = ({ sdk, client, bucket, http }: Line) =>
      client.send(
        new sdk.UploadPartCommand({
          Bucket: bucket,
          Key: key,
          UploadId: this.#uploadId,
          PartNumber: number,
          Body: bytes,
          ContentLength: bytes.length,
          ...digests,
        }),
        http,
      );
    const answer = await connection.call({ sentence, context: { key, part: number }, signal }, send);
    const { ChecksumSHA256 } = digests;
    this.#parts[number - 1] = {
      PartNumber: number,
      ETag: answer.ETag,
      ...(ChecksumSHA256 === undefined ? {} : { ChecksumSHA256 }),
    };
  }

  #tooLarge(): KeepsakeError {
    const { key } = this.#target;
    return new KeepsakeError("E_LIMIT", `The object ${JSON.stringify(key)} is larger than S3 takes.`, {
      context: { key, max_parts: MAX_PARTS },
    });
  }
}

/** @returns false when there was no such upload any more */
export async function abortUpload(
  connection: S3Connection,
  key: string,
  uploadId: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const sentence = `The unfinished upload of ${JSON.stringify(key)} could not be removed`;
  try {
    await connection.call({ sentence, context: { key }, signal }, ({ sdk, client, bucket, http }) =>
      client.send(new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId }), http),
    );
    return true;
  } catch (error) {
    if (isKeepsakeError(error, "E_NOT_FOUND")) return false;
    throw error;
  }
}

import type { ListMultipartUploadsCommandOutput, ListPartsCommandOutput } from "@aws-sdk/client-s3";
import { isKeepsakeError, type OpOptions } from "@keepsake/core";
import type { S3Connection } from "../connection/s3-connection.js";
import { decoded } from "./list-objects.js";

/** An upload in parts that was begun and neither completed nor dropped. Nobody sees it, but it is paid for. */
export interface UnfinishedUpload {
  /** in the bucket */
  readonly key: string;
  readonly uploadId: string;
  /** when something last arrived of it, by the server's clock; milliseconds since 1970 */
  readonly activeAtMs: number;
  readonly sizeBytes: number;
}

/** Every unfinished upload below the connection's prefix. */
export async function* unfinishedUploads(
  connection: S3Connection,
  { signal }: OpOptions = {},
): AsyncGenerator<UnfinishedUpload> {
  const sentence = "Unfinished uploads could not be listed";
  let marker: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {};
  while (marker !== undefined) {
    const from = marker;
    const call = { sentence, signal };
    const page: ListMultipartUploadsCommandOutput = await connection.call(call, ({ sdk, client, bucket, http }) =>
      client.send(
        new sdk.ListMultipartUploadsCommand({
          Bucket: bucket,
          Prefix: connection.prefix,
          EncodingType: "url",
          ...from,
        }),
        http,
      ),
    );
    for (const { Key = "", UploadId = "", Initiated } of page.Uploads ?? []) {
      const [key, initiatedMs] = [decoded(Key), Initiated?.getTime() ?? 0];
      const parts = await partsOf(connection, key, UploadId, signal);
      if (parts === undefined) continue;
      const activeAtMs = Math.max(initiatedMs, parts.newestMs);
      yield { key, uploadId: UploadId, sizeBytes: parts.sizeBytes, activeAtMs };
    }
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page;
    marker = undefined;
    if (IsTruncated === true && NextKeyMarker !== undefined) {
      marker = {
        KeyMarker: decoded(NextKeyMarker),
        ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }),
      };
    }
  }
}

/** How much of an upload is there, and when it last grew: a large one may have been begun long ago and still go on. */
async function partsOf(
  connection: S3Connection,
  key: string,
  uploadId: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly sizeBytes: number; readonly newestMs: number } | undefined> {
  const sentence = `The parts of ${JSON.stringify(key)} could not be listed`;
  let [sizeBytes, newestMs] = [0, 0];
  let PartNumberMarker: string | undefined;
  do {
    const at: string | undefined = PartNumberMarker;
    const page: ListPartsCommandOutput | undefined = await connection
      .call({ sentence, context: { key }, signal }, ({ sdk, client, bucket, http }) => {
        const marker = at === undefined ? {} : { PartNumberMarker: at };
        return client.send(new sdk.ListPartsCommand({ Bucket: bucket, Key: key, UploadId: uploadId, ...marker }), http);
      })
      .catch(ignoreMissing);
    if (page === undefined) return undefined;
    for (const { Size = 0, LastModified } of page.Parts ?? []) {
      sizeBytes += Size;
      newestMs = Math.max(newestMs, LastModified?.getTime() ?? 0);
    }
    PartNumberMarker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (PartNumberMarker !== undefined);
  return { sizeBytes, newestMs };
}

/** Completed or dropped between two calls. */
function ignoreMissing(error: unknown): undefined {
  if (!isKeepsakeError(error, "E_NOT_FOUND")) throw error;
}

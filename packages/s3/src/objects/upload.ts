import { randomUUID } from "node:crypto";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { abortable, type ByteStream, isKeepsakeError, KeepsakeError } from "@keepsake/core";
import type { S3Connection } from "../connection/s3-connection.js";
import type { ServerTraits } from "../server/server-traits.js";
import { MultipartUpload } from "./multipart-upload.js";
import { deleteObject, headObject, type ObjectFacts, WRITER } from "./object-facts.js";
import { PartReader } from "./part-reader.js";
import { putSmall } from "./small-object.js";

/** What an upload is made with. */
export interface UploadOptions {
  readonly traits: ServerTraits;
  readonly partBytes: number;
  readonly parallel: number;
  /** storage class, retention */
  readonly headers: Partial<PutObjectCommandInput>;
  readonly signal: AbortSignal | undefined;
}

const CLEAN_UP_LIMIT_MS = 15_000;

/**
 * Writes `body` as a new object: in one call when it fits a part, else in parts that become an object at the end.
 *
 * @param key in the bucket; was seen to be free
 * @throws KeepsakeError `E_ALREADY_EXISTS`, `E_INTEGRITY`, or what the body throws. Then nothing of it stays visible
 */
export async function upload(
  connection: S3Connection,
  key: string,
  body: ByteStream,
  options: UploadOptions,
): Promise<ObjectFacts> {
  const writer = randomUUID();
  const reader = new PartReader(abortable(body, options.signal));
  try {
    const first = await reader.next(options.partBytes);
    if (!first.isLast) return await uploadParts(connection, key, { first, reader, writer }, options);
    return await orWithdraw(connection, key, writer, first.bytes.length, options.signal, async () => {
      const { traits, headers, signal } = options;
      const condition = traits.conditionalPut ? { IfNoneMatch: "*" } : {};
      const all = { ...headers, Metadata: { [WRITER]: writer }, ...condition };
      await putSmall(connection, key, first.bytes, { headers: all, signal }, traits.digests);
    });
  } finally {
    await reader.close();
  }
}

async function uploadParts(
  connection: S3Connection,
  key: string,
  { first, reader, writer }: { first: Awaited<ReturnType<PartReader["next"]>>; reader: PartReader; writer: string },
  { traits, partBytes, parallel, headers, signal }: UploadOptions,
): Promise<ObjectFacts> {
  const multipart = await MultipartUpload.begin(
    { connection, key, signal },
    { partBytes, parallel, digests: traits.digests, headers: { ...headers, Metadata: { [WRITER]: writer } } },
  );
  let isComplete = false;
  try {
    await multipart.send(first, reader);
    // Where the server ignores the condition below, this is the last moment to see another's object.
    if ((await headObject(connection, key, { signal })) !== undefined) throw taken(key);
    const facts = await orWithdraw(connection, key, writer, multipart.sizeBytes, signal, () =>
      multipart.complete(traits.conditionalMultipart),
    );
    isComplete = true;
    return facts;
  } finally {
    if (!isComplete) await multipart.abort();
  }
}

/**
 * Makes an object visible, and looks at it. Every answer may be lost on the way: what the server then holds decides, and
 * it says who wrote it.
 */
async function orWithdraw(
  connection: S3Connection,
  key: string,
  writer: string,
  sizeBytes: number,
  signal: AbortSignal | undefined,
  publish: () => Promise<void>,
): Promise<ObjectFacts> {
  try {
    await publish().catch(async (error: unknown) => {
      const mayBeOurs = isKeepsakeError(error, "E_ALREADY_EXISTS") || isKeepsakeError(error, "E_NOT_FOUND");
      if (!mayBeOurs || (await headObject(connection, key, { signal }))?.writer !== writer) throw error;
    });
    const facts = await headObject(connection, key, { signal });
    if (facts === undefined) throw vanished(key);
    if (facts.writer !== writer) throw taken(key);
    if (facts.sizeBytes !== sizeBytes) throw otherSize(key, sizeBytes, facts.sizeBytes);
    return facts;
  } catch (error) {
    if (!isKeepsakeError(error, "E_ALREADY_EXISTS")) await withdraw(connection, key, writer);
    throw error;
  }
}

/** Removes an object that was written although its writing failed: somebody else's stays. */
async function withdraw(connection: S3Connection, key: string, writer: string): Promise<void> {
  const signal = AbortSignal.timeout(CLEAN_UP_LIMIT_MS);
  try {
    if ((await headObject(connection, key, { signal }))?.writer === writer) {
      await deleteObject(connection, key, { signal });
    }
  } catch {
    // The failure that led here is the one to report.
  }
}

export function taken(key: string): KeepsakeError {
  return new KeepsakeError("E_ALREADY_EXISTS", `There is already an object ${JSON.stringify(key)}.`, {
    context: { key },
  });
}

function vanished(key: string): KeepsakeError {
  return new KeepsakeError("E_IO", `The object ${JSON.stringify(key)} was written and is not there.`, {
    context: { key },
  });
}

function otherSize(key: string, wanted: number, found: number): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", `The server holds ${JSON.stringify(key)} with another size than was sent.`, {
    context: { key, size_bytes: wanted, found_bytes: found },
  });
}

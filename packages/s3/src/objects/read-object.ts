import { setTimeout as delay } from "node:timers/promises";
import { isKeepsakeError, KeepsakeError } from "@keepsake/core";
import type { S3Connection } from "../connection/s3-connection.js";
import { isPassing, keepsakeErrorOf } from "../connection/s3-failure.js";
import { bareTag } from "./keys.js";

/** What is read of which state of an object. */
export interface Reading {
  readonly key: string;
  readonly etag: string;
  readonly start: number;
  /** exclusive; not beyond the object's end */
  readonly end: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The bytes of an object, or of a range of it. A connection that breaks, or is silent for too long, is made again, and the
 * reading goes on where it stopped; only when nothing more comes, time after time, it fails. Connects on the first `next()`.
 *
 * @throws KeepsakeError from the iteration: `E_NOT_FOUND` when the object was deleted, `E_IO` when it was changed meanwhile
 */
export async function* readObject(connection: S3Connection, reading: Reading): AsyncGenerator<Uint8Array> {
  const { key, end, signal } = reading;
  const sentence = `The object ${JSON.stringify(key)} could not be read`;
  let position = reading.start;
  let failures = 0;
  while (position < end) {
    signal?.throwIfAborted();
    let failure: unknown;
    try {
      for await (const chunk of openedAt(connection, reading, position)) {
        position += chunk.length;
        failures = 0;
        yield chunk;
      }
      if (position < end) failure = new Error("the body ended early");
    } catch (error) {
      failure = error;
    }
    if (failure === undefined) continue;
    signal?.throwIfAborted();
    if (isKeepsakeError(failure) && !(failure.code === "E_IO" && failure.retry === "temporary")) throw failure;
    failures += 1;
    if (failures >= connection.attempts) throw givenUp(failure, sentence, key, position);
    await delay(50 * 2 ** failures, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

function givenUp(failure: unknown, sentence: string, key: string, position: number): unknown {
  if (isPassing(failure)) return keepsakeErrorOf(failure, sentence, { key, position });
  if (isKeepsakeError(failure)) return failure;
  return new KeepsakeError("E_IO", `${sentence}: the connection breaks off again and again.`, {
    cause: failure,
    context: { key, position },
  });
}

async function* openedAt(connection: S3Connection, reading: Reading, position: number): AsyncGenerator<Uint8Array> {
  const { key, etag, end, signal } = reading;
  const sentence = `The object ${JSON.stringify(key)} could not be read`;
  const answer = await connection
    .call({ sentence, context: { key }, signal }, ({ sdk, client, bucket, http }) =>
      client.send(
        new sdk.GetObjectCommand({
          Bucket: bucket,
          Key: key,
          Range: `bytes=${String(position)}-${String(end - 1)}`,
          IfMatch: `"${etag}"`,
        }),
        http,
      ),
    )
    .catch((error: unknown) => {
      throw isKeepsakeError(error) && [412, 416].includes(Number(error.context["status"])) ? changed(key) : error;
    });
  // A server may ignore the condition, or the range.
  const begins = /^bytes (\d+)-/.exec(answer.ContentRange ?? "")?.[1];
  if (bareTag(answer.ETag) !== etag || begins !== String(position)) throw changed(key);
  let left = end - position;
  for await (const chunk of (answer.Body ?? []) as AsyncIterable<Uint8Array>) {
    const wanted = chunk.subarray(0, left);
    left -= wanted.length;
    if (wanted.length > 0) yield wanted;
  }
}

function changed(key: string): KeepsakeError {
  return new KeepsakeError("E_IO", `The object ${JSON.stringify(key)} was changed while it was read.`, {
    context: { key, changed: true },
    retry: "permanent",
  });
}

/** True when another object has taken the place of the one that was being read. */
export function isChanged(error: unknown): boolean {
  return isKeepsakeError(error, "E_IO") && error.context["changed"] === true;
}

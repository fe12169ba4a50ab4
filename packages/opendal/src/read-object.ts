import {
  abortable,
  type ByteRange,
  type ByteStream,
  isKeepsakeError,
  KeepsakeError,
  type OpOptions,
} from "@keepsake/core";
import type { StoredBody } from "@keepsake/core";
import type { Found, ObjectFacts } from "./object-facts.js";
import type { Service } from "./service.js";

/** Up to this size an object is read at once: a record may be replaced between the look at it and the reading. */
const AT_ONCE_BYTES = 256 * 1024;
const STEP_BYTES = 4 * 1024 * 1024;
const CHANGES = 10;

/** @throws KeepsakeError `E_NOT_FOUND` */
export async function readObject(
  service: Service,
  facts: ObjectFacts,
  name: string,
  { key, range, signal }: OpOptions & { readonly key: string; readonly range?: ByteRange | undefined },
): Promise<StoredBody> {
  const options = signal === undefined ? {} : { signal };
  for (let attempt = 1; ; attempt++) {
    const found = await facts.find(key, name, options);
    if (found === undefined) throw missing(key);
    const { object } = found;
    const { start = 0, length = object.sizeBytes } = range ?? {};
    const end = Math.min(object.sizeBytes, start + length);
    if (object.sizeBytes > AT_ONCE_BYTES) {
      return { object, body: abortable(steps(service, name, found, start, end), signal) };
    }
    const bytes = await small(service, name, found, attempt < CHANGES, signal);
    if (bytes !== undefined) return { object, body: abortable(streamOf(bytes.subarray(start, end)), signal) };
  }
}

/** @returns undefined when the object is another one meanwhile, and may be looked at again */
async function small(
  service: Service,
  name: string,
  { object }: Found,
  mayChange: boolean,
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  const { key, sizeBytes } = object;
  try {
    const call = { sentence: sentenceOf(key), key, sizeBytes, ...(signal && { signal }) };
    const bytes = await service.call(call, (operator) => operator.read(name));
    if (bytes.length === sizeBytes) return bytes;
  } catch (error) {
    if (!mayChange || !isKeepsakeError(error, "E_IO")) throw error;
  }
  if (mayChange) return undefined;
  throw new KeepsakeError("E_IO", `${sentenceOf(key)}: it keeps changing.`, { context: { key } });
}

/** The library's own stream cannot begin in the middle; ranges one after the other do, and go on after a failure. */
async function* steps(service: Service, name: string, found: Found, start: number, end: number): ByteStream {
  const { key } = found.object;
  const isSame = service.capability.readWithIfMatch && found.etag !== undefined ? { ifMatch: found.etag } : {};
  for (let at = start; at < end; ) {
    const size = Math.min(STEP_BYTES, end - at);
    const options = { ...isSame, offset: BigInt(at), size: BigInt(size) };
    const bytes = await step(service, key, size, (operator) => operator.read(name, options));
    if (bytes.length !== size) throw changed(key);
    yield bytes;
    at += size;
  }
}

async function step(
  service: Service,
  key: string,
  sizeBytes: number,
  read: Parameters<typeof service.call<Buffer>>[1],
): Promise<Buffer> {
  try {
    return await service.call({ sentence: sentenceOf(key), key, sizeBytes }, read);
  } catch (error) {
    // There was an object; what is there now is none, or another.
    if (isKeepsakeError(error, "E_NOT_FOUND") || isKeepsakeError(error, "E_ALREADY_EXISTS")) throw changed(key, error);
    throw error;
  }
}

async function* streamOf(bytes: Buffer): ByteStream {
  if (bytes.length > 0) yield bytes;
}

function sentenceOf(key: string): string {
  return `The object ${JSON.stringify(key)} could not be read`;
}

function changed(key: string, cause?: unknown): KeepsakeError {
  return new KeepsakeError("E_IO", `${sentenceOf(key)}: it was changed or deleted meanwhile.`, {
    ...(cause === undefined ? {} : { cause }),
    context: { key },
  });
}

function missing(key: string): KeepsakeError {
  return new KeepsakeError("E_NOT_FOUND", `There is no object ${JSON.stringify(key)}.`, { context: { key } });
}

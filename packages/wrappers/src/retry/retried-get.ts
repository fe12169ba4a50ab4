import {
  abortable,
  type BundleStore,
  type ByteRange,
  type ByteStream,
  collectBytes,
  KeepsakeError,
  type StoredBody,
  type StoredObject,
  streamOf,
} from "@keepsake/core";
import type { MethodOf } from "../wrap-store.js";
import type { Retries } from "./retries.js";

/**
 * What is no longer is read whole, in bytes. A record may be replaced by another of the same size within one millisecond:
 * read on by a range, it would be a mixture of both.
 */
const AT_ONCE_BYTES = 256 * 1024;

/** `get` whose body is read on from where it broke off: by a range, and of the same object. A small one is read at once. */
export function retriedGet(store: BundleStore, retries: Retries): MethodOf<"get"> {
  return async (key, given = {}) => {
    const { range, signal, ...options } = given;
    const start = range?.start ?? 0;
    const wantedOf = ({ sizeBytes }: StoredObject): number =>
      Math.max(0, Math.min(range?.length ?? Infinity, sizeBytes - start));
    const first = await retries.of(signal, async () => {
      const stored = await store.get(key, given);
      const wanted = wantedOf(stored.object);
      return wanted > AT_ONCE_BYTES ? stored : { object: stored.object, bytes: await wholeOf(stored, wanted) };
    });
    if ("bytes" in first) return { object: first.object, body: abortable(streamOf(first.bytes), signal) };
    const wanted = wantedOf(first.object);
    const again = (passed: number): Promise<StoredBody> => {
      const rest: ByteRange = { start: start + passed, length: wanted - passed };
      // Nothing was read yet: the very same call, which a store without ranges can answer, too.
      return store.get(key, passed === 0 ? given : { ...options, signal, range: rest });
    };
    const canGoOn = (passed: number): boolean => passed === 0 || store.capabilities.ranges;
    return { object: first.object, body: readOn({ first, wanted, signal, again, canGoOn, retries }) };
  };
}

async function wholeOf({ object, body }: StoredBody, wanted: number): Promise<Uint8Array> {
  const bytes = await collectBytes(body, Infinity);
  if (bytes.length < wanted) throw endedEarly(object, bytes.length, wanted);
  return bytes;
}

interface Reading {
  readonly first: StoredBody;
  readonly wanted: number;
  readonly signal: AbortSignal | undefined;
  readonly again: (passedBytes: number) => Promise<StoredBody>;
  readonly canGoOn: (passedBytes: number) => boolean;
  readonly retries: Retries;
}

async function* readOn({ first, wanted, signal, again, canGoOn, retries }: Reading): ByteStream {
  const attempts = retries.begin(signal);
  let passed = 0;
  let current: ByteStream | undefined = first.body;
  for (;;) {
    let failure: unknown;
    try {
      current ??= sameObject(first.object, await again(passed));
      const chunks = current[Symbol.asyncIterator]();
      let isOpen = true;
      try {
        for (;;) {
          const step: IteratorResult<Uint8Array> | { readonly error: unknown } = await chunks
            .next()
            .catch((error: unknown) => ({ error }));
          isOpen = !("error" in step) && step.done !== true;
          if ("error" in step) {
            failure = step.error;
            break;
          }
          if (step.done === true) break;
          passed += step.value.length;
          if (step.value.length > 0) attempts.anew();
          yield step.value;
        }
      } finally {
        if (isOpen) await chunks.return?.();
      }
      if (failure === undefined && passed >= wanted) return;
      failure ??= endedEarly(first.object, passed, wanted);
    } catch (error) {
      failure = error;
    }
    current = undefined;
    if (!canGoOn(passed) || !(await attempts.again(failure))) throw failure;
  }
}

function sameObject(object: StoredObject, { object: now, body }: StoredBody): ByteStream {
  if (now.sizeBytes === object.sizeBytes && now.modifiedAtMs === object.modifiedAtMs) return body;
  throw new KeepsakeError("E_IO", `The object ${JSON.stringify(object.key)} was replaced while it was read.`, {
    context: { key: object.key },
    retry: "permanent",
  });
}

function endedEarly({ key }: StoredObject, passed: number, wanted: number): KeepsakeError {
  return new KeepsakeError("E_IO", `The object ${JSON.stringify(key)} ended after ${passed} of ${wanted} bytes.`, {
    context: { key, read_bytes: passed, expected_bytes: wanted },
    retry: "temporary",
  });
}

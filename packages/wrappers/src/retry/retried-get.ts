import {
  type BundleStore,
  type ByteRange,
  type ByteStream,
  isKeepsakeError,
  KeepsakeError,
  type StoredBody,
  type StoredObject,
} from "@keepsake/core";
import type { MethodOf } from "../wrap-store.js";
import type { Retries } from "./retries.js";

/** `get` whose body is read on from where it broke off: by a range, and of the same object. */
export function retriedGet(store: BundleStore, retries: Retries): MethodOf<"get"> {
  return async (key, given = {}) => {
    const { range, ...options } = given;
    const first = await retries.of(given.signal, () => store.get(key, given));
    const start = range?.start ?? 0;
    const wanted = Math.max(0, Math.min(range?.length ?? Infinity, first.object.sizeBytes - start));
    const again = async (passed: number): Promise<StoredBody> => {
      // Nothing was read yet: the very same call, which a store without ranges can answer, too.
      const rest: ByteRange = { start: start + passed, length: wanted - passed };
      return store.get(key, passed === 0 ? given : { ...options, range: rest });
    };
    const canGoOn = (passed: number): boolean => passed === 0 || store.capabilities.ranges;
    return { object: first.object, body: readOn({ first, wanted, signal: given.signal, again, canGoOn, retries }) };
  };
}

interface Reading {
  readonly first: StoredBody;
  readonly wanted: number;
  readonly signal: AbortSignal | undefined;
  again(passedBytes: number): Promise<StoredBody>;
  canGoOn(passedBytes: number): boolean;
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

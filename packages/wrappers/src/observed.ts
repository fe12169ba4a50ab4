import { type BundleStore, type ErrorCode, isKeepsakeError, type OpOptions } from "@keepsake/core";
import { counted, stepwise } from "./steps.js";
import type { Time } from "./time.js";
import { wrapStore } from "./wrap-store.js";

/** What was asked of a store; "read" is the body that a `get` has answered with. */
export type StoreOperation = "put" | "get" | "read" | "head" | "list" | "delete" | "replace" | "sweep" | "inspect";

/** Something that a store has done. */
export interface StoreEvent {
  readonly store: string;
  readonly operation: StoreOperation;
  /** "stopped": by the caller's signal; "defect": failed with what is no error of ours */
  readonly outcome: "ok" | "stopped" | "defect" | ErrorCode;
  /** of bodies, as far as they came */
  readonly bytes: number;
  readonly milliseconds: number;
}

/** An event, of which object or prefix, and what it failed with. */
export interface ObservedEvent extends StoreEvent {
  readonly key: string | undefined;
  readonly error: unknown;
}

/** Tells of every call when it has ended, and of every body and list when its reading has ended, early or not. */
export function observedStore(store: BundleStore, time: Time, tell: (event: ObservedEvent) => void): BundleStore {
  function begin(operation: StoreOperation, key: string | undefined, signal: AbortSignal | undefined) {
    const startedAt = time.now();
    return (bytes: number, failure?: { readonly error: unknown }): void => {
      const outcome = failure === undefined ? "ok" : outcomeOf(failure.error, signal);
      const milliseconds = time.now() - startedAt;
      const event = { store: store.id, operation, outcome, bytes, milliseconds, key, error: failure?.error };
      try {
        tell(event);
      } catch {
        // Whoever watches must not make a snapshot fail.
      }
    };
  }

  async function call<T>(
    [operation, key, given]: readonly [StoreOperation, string | undefined, OpOptions | undefined],
    work: () => Promise<T>,
    bytes: () => number = () => 0,
  ): Promise<T> {
    const end = begin(operation, key, given?.signal);
    try {
      const result = await work();
      end(bytes());
      return result;
    } catch (error) {
      end(bytes(), { error });
      throw error;
    }
  }

  async function* reading<T>(
    operation: StoreOperation,
    key: string,
    given: OpOptions | undefined,
    input: AsyncIterable<T>,
    sizeOf: (item: T) => number,
  ): AsyncGenerator<T> {
    const end = begin(operation, key, given?.signal);
    let bytes = 0;
    let failure: { readonly error: unknown } | undefined;
    try {
      yield* stepwise(input, async (next) => {
        try {
          const step = await next();
          if (step.done !== true) bytes += sizeOf(step.value as unknown as T);
          return step;
        } catch (error) {
          failure = { error };
          throw error;
        }
      });
    } finally {
      end(bytes, failure);
    }
  }

  return wrapStore(store, {
    put: (put) => (key, body, given) => {
      let bytes = 0;
      const sent = counted(body, (more) => {
        bytes += more;
      });
      return call(
        ["put", key, given],
        () => put(key, sent, given),
        () => bytes,
      );
    },
    get: (get) => async (key, given) => {
      const { object, body } = await call(["get", key, given], () => get(key, given));
      return { object, body: reading("read", key, given, body, (chunk) => chunk.length) };
    },
    head: (head) => (key, given) => call(["head", key, given], () => head(key, given)),
    list: (list) => (prefix, given) => reading("list", prefix, given, list(prefix, given), () => 0),
    delete: (remove) => (key, given) => call(["delete", key, given], () => remove(key, given)),
    replace: (replace) => (key, body, given) =>
      call(
        ["replace", key, given],
        () => replace(key, body, given),
        () => body.length,
      ),
    sweep: (sweep) => (given) => call(["sweep", undefined, given], () => sweep(given)),
    inspect: (inspect) => (given) => call(["inspect", undefined, given], () => inspect(given)),
  });
}

function outcomeOf(error: unknown, signal: AbortSignal | undefined): StoreEvent["outcome"] {
  if (signal?.aborted === true) return "stopped";
  return isKeepsakeError(error) ? error.code : "defect";
}

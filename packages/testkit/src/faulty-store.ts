import { abortable, type BundleStore, type ByteStream, type OpOptions, orAborted } from "@keepsake/core";

/** A method of a store that can be made to fail. */
export type StoreMethod = "put" | "get" | "head" | "list" | "delete" | "replace" | "sweep" | "inspect";

interface FaultTarget {
  readonly on: StoreMethod;
  /** the how many-th call of the method, from 1; default every call */
  readonly call?: number;
}

/** One thing that goes wrong. */
export type StoreFault =
  /** the call fails; "after": it did its work first, and the answer was lost */
  | (FaultTarget & { readonly fail: Error; readonly when?: "before" | "after" })
  /** the body, given to `put` or got from `get`, ends after so many bytes: with the error, or without one as if it were whole */
  | (FaultTarget & { readonly on: "put" | "get"; readonly cutAfterBytes: number; readonly error?: Error })
  /** the call does not answer until its signal fires; of `get` and `put` with `afterBytes`, the body does not go on */
  | (FaultTarget & { readonly stall: true; readonly afterBytes?: number });

/** A store in which things go wrong, and what was asked of it. */
export interface FaultyStore extends BundleStore {
  /** how often each method was called */
  readonly calls: Readonly<Record<StoreMethod, number>>;
}

/**
 * Passes every call on to `store`, but for the planned faults. The first fault that fits a call is the one that happens.
 *
 * @example faultyStore(memoryStore(), [{ on: "put", call: 2, fail: new KeepsakeError("E_NO_SPACE", "Full.") }])
 */
export function faultyStore(store: BundleStore, plan: readonly StoreFault[]): FaultyStore {
  const calls = { put: 0, get: 0, head: 0, list: 0, delete: 0, replace: 0, sweep: 0, inspect: 0 };

  function faultOf(method: StoreMethod): StoreFault | undefined {
    const call = ++calls[method];
    return plan.find((fault) => fault.on === method && (fault.call === undefined || fault.call === call));
  }

  async function through<T>(
    method: StoreMethod,
    options: OpOptions | undefined,
    work: (damage: (body: ByteStream) => ByteStream) => Promise<T>,
  ): Promise<T> {
    const fault = faultOf(method);
    if (fault === undefined) return work((body) => body);
    if ("cutAfterBytes" in fault) return work((body) => cut(body, fault.cutAfterBytes, fault.error));
    if ("stall" in fault) {
      const { afterBytes } = fault;
      if (afterBytes === undefined) return orAborted(new Promise<never>(() => undefined), options?.signal);
      return work((body) => abortable(silentAfter(body, afterBytes), options?.signal));
    }
    if (fault.when === "after") await work((body) => body);
    throw fault.fail;
  }

  const replace = store.replace?.bind(store);
  const sweep = store.sweep?.bind(store);
  const inspect = store.inspect?.bind(store);
  const { [Symbol.asyncDispose]: asyncDispose, [Symbol.dispose]: dispose } = store as Partial<
    AsyncDisposable & Disposable
  >;
  const faulty: FaultyStore = {
    id: store.id,
    get capabilities() {
      return store.capabilities;
    },
    calls,
    describe: () => `${store.describe()}, with faults`,
    put: (key, body, options) => through("put", options, (damage) => store.put(key, damage(body), options)),
    get: (key, options) =>
      through("get", options, async (damage) => {
        const { object, body } = await store.get(key, options);
        return { object, body: damage(body) };
      }),
    head: (key, options) => through("head", options, () => store.head(key, options)),
    delete: (key, options) => through("delete", options, () => store.delete(key, options)),
    async *list(prefix, options) {
      yield* await through("list", options, async () => store.list(prefix, options));
    },
    ...(replace && {
      replace: (key, body, options) => through("replace", options, () => replace(key, body, options)),
    }),
    ...(sweep && { sweep: (options) => through("sweep", options, () => sweep(options)) }),
    ...(inspect && { inspect: (options) => through("inspect", options, () => inspect(options)) }),
  };
  return Object.assign(
    faulty,
    asyncDispose && { [Symbol.asyncDispose]: asyncDispose.bind(store) },
    dispose && { [Symbol.dispose]: dispose.bind(store) },
  );
}

async function* cut(body: ByteStream, bytes: number, error: Error | undefined): ByteStream {
  let left = bytes;
  for await (const chunk of body) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) break;
  }
  if (error !== undefined) throw error;
}

async function* silentAfter(body: ByteStream, bytes: number): ByteStream {
  yield* cut(body, bytes, undefined);
  await new Promise<never>(() => undefined);
}

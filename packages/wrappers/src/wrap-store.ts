import type { BundleStore } from "@keepsake/core";

type Member = "put" | "get" | "head" | "list" | "delete" | "replace" | "sweep" | "inspect";

/** A method of a store, as it is written in the port; also of one that a store may lack. */
export type MethodOf<M extends Member> = NonNullable<BundleStore[M]>;

/** What is put around the methods of a store: each is given the method of the store, and gives what stands in its place. */
export type Layer = { readonly [M in Member]?: (inner: MethodOf<M>) => MethodOf<M> };

/**
 * A store that passes on to `store` all that `layer` does not change. What the store lacks stays lacking, its capabilities
 * are asked anew each time (a store may learn of them), and it is disposed with what is around it.
 */
export function wrapStore(store: BundleStore, layer: Layer): BundleStore {
  const { [Symbol.asyncDispose]: asyncDispose, [Symbol.dispose]: dispose } = store as Partial<
    AsyncDisposable & Disposable
  >;
  return Object.assign(
    aroundStore(store, layer, store.id),
    asyncDispose && { [Symbol.asyncDispose]: asyncDispose.bind(store) },
    dispose && { [Symbol.dispose]: dispose.bind(store) },
  );
}

/** The same store under another id, and without an end: who made it closes it. */
export function lentStore(store: BundleStore, id: string): BundleStore {
  return aroundStore(store, {}, id);
}

function aroundStore(store: BundleStore, layer: Layer, id: string): BundleStore {
  const unchanged = <T>(inner: T): T => inner;
  const { put = unchanged, get = unchanged, head = unchanged, list = unchanged, delete: remove = unchanged } = layer;
  const { replace = unchanged, sweep = unchanged, inspect = unchanged } = layer;
  const around: BundleStore = {
    id,
    get capabilities() {
      return store.capabilities;
    },
    describe: () => store.describe(),
    put: put(store.put.bind(store)),
    get: get(store.get.bind(store)),
    head: head(store.head.bind(store)),
    list: list(store.list.bind(store)),
    delete: remove(store.delete.bind(store)),
  };
  return Object.assign(
    around,
    store.replace && { replace: replace(store.replace.bind(store)) },
    store.sweep && { sweep: sweep(store.sweep.bind(store)) },
    store.inspect && { inspect: inspect(store.inspect.bind(store)) },
  );
}

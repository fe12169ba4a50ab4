import { type BundleStore, KeepsakeError, type OpOptions } from "@keepsake/core";
import { wrapStore } from "./wrap-store.js";

/**
 * A store that can be read and not changed: `put` and `delete` are refused with `E_READ_ONLY`, and the store is not asked. What
 * a store may lack, and what would change something, it lacks: `replace`, `sweep`, and `inspect`, which may write objects to try
 * the place out.
 */
export function readOnly(store: BundleStore): BundleStore {
  const refuse = async ({ signal }: OpOptions = {}): Promise<never> => {
    signal?.throwIfAborted();
    throw new KeepsakeError("E_READ_ONLY", `The store ${JSON.stringify(store.id)} is only read here.`, {
      context: { store: store.id },
    });
  };
  const around = wrapStore(store, {
    put: () => (_key, _body, options) => refuse(options),
    delete: () => (_key, options) => refuse(options),
  });
  delete around.replace;
  delete around.sweep;
  delete around.inspect;
  return Object.assign(around, { describe: () => `${store.describe()}, only read` });
}

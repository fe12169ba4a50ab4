import { type BundleStore, KeepsakeError, type OpOptions } from "@keepsake/core";
import { wrapStore } from "./wrap-store.js";

/**
 * A store that can be read and not changed: `put`, `delete`, `replace` and `sweep` are refused with `E_READ_ONLY`, and the
 * store is not asked. It has no `inspect`, because that may write objects to try the place out.
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
    replace: () => (_key, _body, options) => refuse(options),
    sweep: () => (options) => refuse(options),
  });
  delete around.inspect;
  return around;
}

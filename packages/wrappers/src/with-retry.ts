import type { BundleStore } from "@keepsake/core";
import { Retries, type RetryOptions } from "./retry/retries.js";
import { retriedDelete } from "./retry/retried-delete.js";
import { retriedGet } from "./retry/retried-get.js";
import { retriedList } from "./retry/retried-list.js";
import { retriedPut } from "./retry/retried-put.js";
import { wrapStore } from "./wrap-store.js";

export type { RetryOptions } from "./retry/retries.js";

const SPOOL_BYTES = 8 * 1024 * 1024;

/**
 * Tries again what failed with an error whose `retry` is "temporary", after a delay that doubles. What fails in the end
 * fails with the last error, as it is.
 *
 * `put` is tried again while its body is held whole in memory (`spoolBytes`), and knows an object that a call has stored
 * though its answer was lost: by size and digest. A body that breaks off is read on from where it stopped, where the store
 * has ranges and the object is still the same; a list goes on after the last key. `delete` looks first, so that it can tell
 * whether it was this call that removed the object. `replace` may be done twice: what another put there in between is lost.
 */
export function withRetry(store: BundleStore, options: RetryOptions = {}): BundleStore {
  const { spoolBytes = SPOOL_BYTES } = options;
  const retries = new Retries(options);
  const get = retriedGet(store, retries);
  return wrapStore(store, {
    put: (put) => retriedPut({ put, get, head: store.head.bind(store) }, retries, spoolBytes),
    get: () => get,
    head: (head) => (key, given) => retries.of(given?.signal, () => head(key, given)),
    list: (list) => retriedList(list, retries),
    delete: (remove) => retriedDelete({ delete: remove, head: store.head.bind(store) }, retries),
    replace: (replace) => (key, body, given) => retries.of(given?.signal, () => replace(key, body, given)),
    sweep: (sweep) => (given) => retries.of(given?.signal, () => sweep(given)),
    inspect: (inspect) => (given) => retries.of(given?.signal, () => inspect(given)),
  });
}

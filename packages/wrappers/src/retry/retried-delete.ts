import type { BundleStore } from "@keepsake/core";
import type { MethodOf } from "../wrap-store.js";
import type { Retries } from "./retries.js";

/**
 * `delete` that tells rightly whether there was an object. Once an answer was lost, "there is none" may mean that this call
 * removed it, or that there never was one: so it is looked for first.
 */
export function retriedDelete(
  { delete: remove, head }: Pick<BundleStore, "delete" | "head">,
  retries: Retries,
): MethodOf<"delete"> {
  return async (key, given) => {
    const signal = given?.signal;
    if ((await retries.of(signal, () => head(key, given))) === undefined) return false;
    let mayHaveRemoved = false;
    const removed = await retries.of(
      signal,
      () => remove(key, given),
      () => {
        mayHaveRemoved = true;
      },
    );
    return removed || mayHaveRemoved;
  };
}

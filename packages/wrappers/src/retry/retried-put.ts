import { type BundleStore, digestOf, isKeepsakeError, type OpOptions, type StoredObject } from "@keepsake/core";
import type { MethodOf } from "../wrap-store.js";
import type { Retries } from "./retries.js";
import { Spool } from "./spool.js";

/**
 * `put` that sends its body again, and knows its own object again.
 *
 * @param get the one that is tried again by itself
 */
export function retriedPut(
  { put, get, head }: Pick<BundleStore, "put" | "get" | "head">,
  retries: Retries,
  spoolBytes: number,
): MethodOf<"put"> {
  /** The object, if it is the one that was sent. Who else put the same bytes there has put the same object. */
  async function ours(key: string, spool: Spool, given: OpOptions | undefined): Promise<StoredObject | undefined> {
    const { digest } = spool;
    const object = await retries.of(given?.signal, () => head(key, given));
    if (digest === undefined || object?.sizeBytes !== digest.sizeBytes) return undefined;
    const stored = await get(key, given);
    return (await digestOf(stored.body)).sha256 === digest.sha256 ? stored.object : undefined;
  }

  return async (key, body, given) => {
    const attempts = retries.begin(given?.signal);
    const spool = new Spool(body, spoolBytes);
    let mayBeStored = false;
    try {
      for (;;) {
        try {
          return await put(key, spool.send(), given);
        } catch (error) {
          if (spool.failure !== undefined) throw error;
          if (isKeepsakeError(error, "E_ALREADY_EXISTS") && mayBeStored) {
            const object = await ours(key, spool, given);
            if (object !== undefined) return object;
          }
          // Only what the store has seen to its end can be there whole.
          mayBeStored ||= spool.digest !== undefined;
          if (!spool.canSendAgain && !mayBeStored) throw error;
          if (!(await attempts.again(error))) throw error;
          if (spool.canSendAgain) continue;
          const object = mayBeStored ? await ours(key, spool, given) : undefined;
          if (object === undefined) throw error;
          return object;
        }
      }
    } finally {
      await spool.close();
    }
  };
}

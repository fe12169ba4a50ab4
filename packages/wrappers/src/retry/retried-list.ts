import type { StoredObject } from "@keepsake/core";
import type { MethodOf } from "../wrap-store.js";
import type { Retries } from "./retries.js";

/** `list` that begins again when it breaks off, and leaves out what it has told already. */
export function retriedList(list: MethodOf<"list">, retries: Retries): MethodOf<"list"> {
  return async function* (prefix, given) {
    const attempts = retries.begin(given?.signal);
    let last: StoredObject | undefined;
    for (;;) {
      let failure: unknown;
      const objects = list(prefix, given)[Symbol.asyncIterator]();
      try {
        for (;;) {
          const step = await objects.next().catch((error: unknown) => {
            failure = error;
            return undefined;
          });
          if (step === undefined) break;
          if (step.done === true) return;
          if (last !== undefined && !isAfter(step.value.key, last.key)) continue;
          last = step.value;
          attempts.anew();
          yield step.value;
        }
      } finally {
        await objects.return?.();
      }
      if (!(await attempts.again(failure))) throw failure;
    }
  };
}

/** In the order of a list: that of the UTF-8 bytes. */
function isAfter(key: string, other: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;
}

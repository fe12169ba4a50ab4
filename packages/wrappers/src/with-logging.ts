import { type BundleStore, type Logger } from "@keepsake/core";
import { observedStore } from "./observed.js";
import { SYSTEM_TIME, type Time } from "./time.js";

/** Answers of a store rather than troubles: there is none, or there is one already. */
const ANSWERS: readonly string[] = ["ok", "stopped", "E_NOT_FOUND", "E_ALREADY_EXISTS"];

/** Logs every call and every reading when it has ended: what failed as a warning, the rest for debugging. */
export function withLogging(
  store: BundleStore,
  logger: Logger,
  { time = SYSTEM_TIME }: { readonly time?: Time } = {},
): BundleStore {
  return observedStore(store, time, ({ operation, outcome, bytes, milliseconds, key, error }) => {
    const facts = {
      store: store.id,
      operation,
      outcome,
      bytes,
      milliseconds: Math.round(milliseconds),
      ...(key === undefined ? {} : { key }),
    };
    if (ANSWERS.includes(outcome)) logger.debug("store", facts);
    else logger.warn("store", { ...facts, error: error instanceof Error ? error.message : String(error) });
  });
}

import { type BundleStore, KeepsakeError, type OpOptions } from "@keepsake/core";
import { stepwise } from "./steps.js";
import { TimeLimit } from "./time-limit.js";
import { SYSTEM_TIME, type Time } from "./time.js";
import { wrapStore } from "./wrap-store.js";

/** How long a store may take, in milliseconds. */
export interface TimeoutOptions {
  /** for a call; of `put` for each stretch between two chunks and after the last: what its body takes does not count */
  readonly callMs: number;
  /** for each chunk of a body that is read, and each object of a list; default `callMs`. The reader's own time does not count */
  readonly silenceMs?: number;
  /** for `sweep` and `inspect`, which are many calls; default ten times `callMs` */
  readonly upkeepMs?: number;
  /** how long a call that was broken off may take to undo what is half-made; default 1,000 */
  readonly graceMs?: number;
  /** default: that of this machine */
  readonly time?: Time;
}

/** Breaks off what takes too long: the store's signal fires, and the call fails with `E_IO`, which may be tried again. */
export function withTimeout(store: BundleStore, options: TimeoutOptions): BundleStore {
  const { callMs, silenceMs = callMs, upkeepMs = 10 * callMs, graceMs = 1_000, time = SYSTEM_TIME } = options;
  for (const limit of [callMs, silenceMs, upkeepMs]) {
    if (!(limit > 0)) throw new TypeError("A time limit is more than 0 milliseconds.");
  }

  const limitOf = (operation: string, limitMs: number, { signal }: OpOptions = {}): TimeLimit =>
    new TimeLimit({ time, limitMs, graceMs, signal, error: tooSlow(store.id, operation, limitMs) });
  const bounded = async <T>(
    operation: string,
    limitMs: number,
    given: OpOptions | undefined,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const limit = limitOf(operation, limitMs, given);
    return limit.hold(() => call(limit.signal));
  };

  return wrapStore(store, {
    put: (put) => (key, body, given) => {
      const limit = limitOf("put", callMs, given);
      const awaited = stepwise(body, async (next) => {
        limit.pause();
        try {
          return await next();
        } finally {
          limit.resume();
        }
      });
      return limit.hold(() => put(key, awaited, { ...given, signal: limit.signal }));
    },
    get: (get) => async (key, given) => {
      const limit = limitOf("get", callMs, given);
      const { object, body } = await limit.hold(() => get(key, { ...given, signal: limit.signal }));
      const reading = limit.forSteps(silenceMs, tooSlow(store.id, "the reading", silenceMs));
      return { object, body: stepwise(body, (next) => reading.hold(next)) };
    },
    head: (head) => (key, given) => bounded("head", callMs, given, (signal) => head(key, { ...given, signal })),
    delete: (remove) => (key, given) => bounded("delete", callMs, given, (signal) => remove(key, { ...given, signal })),
    list: (list) => (prefix, given) => {
      const limit = limitOf("list", silenceMs, given);
      return stepwise(list(prefix, { ...given, signal: limit.signal }), (next) => limit.hold(next));
    },
    replace: (replace) => (key, body, given) =>
      bounded("replace", callMs, given, (signal) => replace(key, body, { ...given, signal })),
    sweep: (sweep) => (given) => bounded("sweep", upkeepMs, given, (signal) => sweep(given && { ...given, signal })),
    inspect: (inspect) => (given) => bounded("inspect", upkeepMs, given, (signal) => inspect({ ...given, signal })),
  });
}

function tooSlow(store: string, operation: string, limitMs: number): KeepsakeError {
  return new KeepsakeError("E_IO", `The store did not answer ${operation} within ${String(limitMs)} ms.`, {
    context: { store, operation, limit_ms: limitMs },
    retry: "temporary",
  });
}

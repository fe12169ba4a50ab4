import { type BundleStore, type ByteStream, KeepsakeError, type OpOptions } from "@keepsake/core";
import { Chances } from "./chances.js";
import { SYSTEM_TIME, type Time } from "./time.js";
import { wrapStore } from "./wrap-store.js";

/** How often what goes wrong, each from 0 (never, the default) to 1 (always). */
export interface ChaosRates {
  /** the call fails, and nothing was done */
  readonly before?: number;
  /** the call does its work, and fails: its answer was lost */
  readonly after?: number;
  /** a body or a list breaks off with an error */
  readonly cut?: number;
  /** a body that is read ends early, as if it were whole */
  readonly truncate?: number;
  /** a call waits, up to `maxDelayMs` */
  readonly delay?: number;
}

/** What goes wrong. */
export interface ChaosOptions {
  /** the same seed does the same to the same calls */
  readonly seed: number | string;
  readonly rates: ChaosRates;
  /** default 10 */
  readonly maxDelayMs?: number;
  /** whether the errors say that it may go well another time; default "temporary" */
  readonly retry?: "temporary" | "permanent";
  /** default: that of this machine */
  readonly time?: Time;
}

/** A list breaks off after fewer objects than this. */
const LISTED = 8;
/** A body breaks off after fewer bytes than this: as often within the first 447 as later, so that small ones are struck, too. */
const CUT_BYTES = 200_000;

/**
 * A store in which things go wrong by chance, for tests. What happens to a call hangs on the seed, the operation, the key and
 * the how many-th such call it is: not on the order in which calls of different keys come.
 */
export function chaos(store: BundleStore, options: ChaosOptions): BundleStore {
  const { seed, rates, maxDelayMs = 10, time = SYSTEM_TIME, retry = "temporary" } = options;
  const chances = new Chances(seed);

  const trouble = (operation: string, what: string): KeepsakeError =>
    new KeepsakeError("E_IO", `Chaos: ${operation} ${what}.`, { context: { operation, chaos: what }, retry });

  async function call<T>(
    [operation, key, given]: readonly [string, string, OpOptions | undefined],
    work: (chance: (name: string) => number) => Promise<T>,
  ): Promise<T> {
    given?.signal?.throwIfAborted();
    const chance = chances.of(operation, key);
    if (chance("delay") < (rates.delay ?? 0)) await time.sleep(chance("delay for") * maxDelayMs, given?.signal);
    if (chance("before") < (rates.before ?? 0)) throw trouble(operation, "failed before it began");
    const result = await work(chance);
    if (chance("after") < (rates.after ?? 0)) throw trouble(operation, "lost its answer");
    return result;
  }

  function cut(body: ByteStream, operation: string, chance: (name: string) => number): ByteStream {
    const bytes = Math.floor(CUT_BYTES ** chance("cut at")) - 1;
    if (chance("cut") < (rates.cut ?? 0)) return broken(body, bytes, trouble(operation, "broke off"));
    if (operation === "get" && chance("truncate") < (rates.truncate ?? 0)) return broken(body, bytes, undefined);
    return body;
  }

  const around = wrapStore(store, {
    put: (put) => (key, body, given) =>
      call(["put", key, given], (chance) => put(key, cut(body, "put", chance), given)),
    get: (get) => (key, given) =>
      call(["get", key, given], async (chance) => {
        const { object, body } = await get(key, given);
        return { object, body: cut(body, "get", chance) };
      }),
    head: (head) => (key, given) => call(["head", key, given], () => head(key, given)),
    list: (list) =>
      async function* (prefix, given) {
        const chance = await call(["list", prefix, given], async (chances) => chances);
        let left = chance("cut") < (rates.cut ?? 0) ? Math.floor(chance("cut at") * LISTED) : Infinity;
        for await (const object of list(prefix, given)) {
          if (left-- <= 0) throw trouble("list", "broke off");
          yield object;
        }
      },
    delete: (remove) => (key, given) => call(["delete", key, given], () => remove(key, given)),
    replace: (replace) => (key, body, given) => call(["replace", key, given], () => replace(key, body, given)),
    sweep: (sweep) => (given) => call(["sweep", "", given], () => sweep(given)),
    inspect: (inspect) => (given) => call(["inspect", "", given], () => inspect(given)),
  });
  return Object.assign(around, { describe: () => `${store.describe()}, with chaos` });
}

/** The first bytes of a body, and then the error or a seeming end; whole when it is no longer than that. */
async function* broken(body: ByteStream, bytes: number, error: Error | undefined): ByteStream {
  let left = bytes;
  for await (const chunk of body) {
    if (chunk.length > left) {
      if (left > 0) yield chunk.subarray(0, left);
      if (error !== undefined) throw error;
      return;
    }
    left -= chunk.length;
    yield chunk;
  }
}

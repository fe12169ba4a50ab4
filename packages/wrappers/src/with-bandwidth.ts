import type { BundleStore } from "@keepsake/core";
import { Pace } from "./pace.js";
import { SYSTEM_TIME, type Time } from "./time.js";
import { wrapStore } from "./wrap-store.js";

/** Bytes per second, of all calls together; absent: no limit. */
export interface BandwidthOptions {
  /** to the store */
  readonly upBytesPerSecond?: number | undefined;
  /** from the store */
  readonly downBytesPerSecond?: number | undefined;
  /** default: that of this machine */
  readonly time?: Time;
}

/** Lets bodies pass only so fast. What the store has buffered ahead is not counted before it passes here. */
export function withBandwidth(store: BundleStore, options: BandwidthOptions): BundleStore {
  const { upBytesPerSecond, downBytesPerSecond, time = SYSTEM_TIME } = options;
  const up = upBytesPerSecond === undefined ? undefined : new Pace(upBytesPerSecond, time);
  const down = downBytesPerSecond === undefined ? undefined : new Pace(downBytesPerSecond, time);
  return wrapStore(store, {
    put: (put) => (key, body, given) => put(key, up?.stream(body, given?.signal) ?? body, given),
    get: (get) => async (key, given) => {
      const { object, body } = await get(key, given);
      return { object, body: down?.stream(body, given?.signal) ?? body };
    },
    replace: (replace) => async (key, body, given) => {
      await up?.pass(body.length, given?.signal);
      return replace(key, body, given);
    },
  });
}

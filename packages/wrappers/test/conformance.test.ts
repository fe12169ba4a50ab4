import { fileURLToPath } from "node:url";
import { type BundleStore, SILENT_LOGGER } from "@keepsake/core";
import { memoryStore, pluginConformance, runConformance, storeConformance } from "@keepsake/testkit";
import { describe, it } from "vitest";
import {
  chaos,
  withBandwidth,
  withConcurrency,
  withLogging,
  withMetrics,
  withRetry,
  withTimeout,
  wrappersPlugin,
} from "../src/index.js";
import { instantTime } from "./support/manual-time.js";

const time = instantTime();
/** Nothing here hangs on much passing through: the stores are in memory. */
const options = { streamBytes: 8 * 1024 * 1024 };
const wrappers: Readonly<Record<string, (store: BundleStore) => BundleStore>> = {
  withRetry: (store) => withRetry(store),
  withTimeout: (store) => withTimeout(store, { callMs: 60_000 }),
  withConcurrency: (store) => withConcurrency(store, { operations: 1 }),
  withBandwidth: (store) => withBandwidth(store, { upBytesPerSecond: 10e6, downBytesPerSecond: 10e6, time }),
  withMetrics: (store) => withMetrics(store, { record: () => undefined }),
  withLogging: (store) => withLogging(store, SILENT_LOGGER),
};

for (const [name, wrap] of Object.entries(wrappers)) {
  describe(name, () => {
    runConformance(
      storeConformance({ create: () => ({ store: wrap(memoryStore()), reopen: null, boundedMemory: false }) }),
      { describe, it },
      options,
    );
  });
}

describe("all of them", () => {
  const all = (store: BundleStore): BundleStore => Object.values(wrappers).reduce((inner, wrap) => wrap(inner), store);
  runConformance(
    storeConformance({ create: () => ({ store: all(memoryStore()), reopen: null, boundedMemory: false }) }),
    { describe, it },
    options,
  );
});

for (const seed of ["a", "b"]) {
  describe(`withRetry over chaos of seed ${seed}`, () => {
    const rates = { before: 0.15, after: 0.15, cut: 0.15, truncate: 0.1, delay: 0.2 };
    runConformance(
      storeConformance({
        create() {
          const store = chaos(memoryStore(), { seed, rates, time });
          // What is held of a body must be all of it: what was lost of more could not be sent again.
          const spoolBytes = 32 * 1024 * 1024;
          return {
            store: withRetry(store, { attempts: 20, spoolBytes, time }),
            reopen: null,
            boundedMemory: false,
          };
        },
      }),
      { describe, it },
      options,
    );
  });
}

const NEEDED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  limit: { operations: 2 },
  chaos: { seed: 1, rates: { before: 0.5 } },
};
runConformance(
  pluginConformance({
    create: () => ({
      plugin: wrappersPlugin,
      module: fileURLToPath(new URL("../dist/plugin.js", import.meta.url)),
      options: ({ name }) => ({ store: "inner", ...NEEDED[name] }),
    }),
  }),
  { describe, it },
);

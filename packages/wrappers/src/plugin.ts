import { type BundleStore, definePlugin, LOGGER, type Resolver, storeProvider, storeToken } from "@keepsake/core";
import { z } from "zod";
import { lentStore } from "./wrap-store.js";

const store = z.string().min(1).describe("The name of the store, under `stores`, that this is put around.");
const seconds = z.number().positive().max(86_400);
const rate = z.number().int().positive();

const retryOptions = z.strictObject({
  store,
  attempts: z.number().int().min(1).max(100).default(5).describe("How often a thing is tried in all."),
  first_delay_secs: seconds.default(0.1).describe("Seconds before the second attempt; then doubled."),
  max_delay_secs: seconds.default(10).describe("The longest delay, in seconds."),
  spool_bytes: z
    .number()
    .int()
    .nonnegative()
    .default(8 * 1024 * 1024)
    .describe("How much of an object is held in memory, so that it can be sent again."),
});

const timeoutOptions = z.strictObject({
  store,
  call_secs: seconds.default(60).describe("Seconds that the store may take for a call."),
  silence_secs: seconds.default(60).describe("Seconds that an object or a list being read may be silent."),
});

const limitOptions = z
  .strictObject({
    store,
    operations: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("How much the store works on at a time; default: no limit."),
    up_bytes_per_sec: rate.optional().describe("Bytes per second to the store; default: no limit."),
    down_bytes_per_sec: rate.optional().describe("Bytes per second from the store; default: no limit."),
  })
  .refine(
    ({ operations, up_bytes_per_sec, down_bytes_per_sec }) =>
      [operations, up_bytes_per_sec, down_bytes_per_sec].some((limit) => limit !== undefined),
    { message: "limits nothing: give operations, up_bytes_per_sec or down_bytes_per_sec" },
  );

const plainOptions = z.strictObject({ store });

const chanceOf = (what: string) => z.number().min(0).max(1).default(0).describe(`How often ${what}, 0 to 1.`);
const chaosOptions = z.strictObject({
  store,
  seed: z.union([z.string(), z.number()]).describe("The same seed does the same to the same calls."),
  rates: z.strictObject({
    before: chanceOf("a call fails, and nothing was done"),
    after: chanceOf("a call does its work and fails"),
    cut: chanceOf("a body or a list breaks off"),
    truncate: chanceOf("a body that is read ends early, as if it were whole"),
    delay: chanceOf("a call waits"),
  }),
  max_delay_secs: seconds.default(0.01).describe("How long a call waits at most, in seconds."),
});

/** The store that the options name, under the id of what is put around it. */
function lent(named: { readonly store: string }, resolver: Resolver, id: string): BundleStore {
  return lentStore(resolver.get(storeToken(named.store)), id);
}

/** What is put around a store of the configuration. */
export default definePlugin({
  name: "wrappers",
  api: 1,
  providers: [
    storeProvider("retry", {
      options: retryOptions,
      needs: (options) => [storeToken(options.store)],
      async create(options, resolver, { id = "retry" }) {
        const { withRetry } = await import("./with-retry.js");
        return withRetry(lent(options, resolver, id), {
          attempts: options.attempts,
          firstDelayMs: options.first_delay_secs * 1_000,
          maxDelayMs: options.max_delay_secs * 1_000,
          spoolBytes: options.spool_bytes,
        });
      },
    }),
    storeProvider("timeout", {
      options: timeoutOptions,
      needs: (options) => [storeToken(options.store)],
      async create(options, resolver, { id = "timeout" }) {
        const { withTimeout } = await import("./with-timeout.js");
        return withTimeout(lent(options, resolver, id), {
          callMs: options.call_secs * 1_000,
          silenceMs: options.silence_secs * 1_000,
        });
      },
    }),
    storeProvider("limit", {
      options: limitOptions,
      needs: (options) => [storeToken(options.store)],
      async create({ operations, ...options }, resolver, { id = "limit" }) {
        const { withBandwidth } = await import("./with-bandwidth.js");
        const paced = withBandwidth(lent(options, resolver, id), {
          upBytesPerSecond: options.up_bytes_per_sec,
          downBytesPerSecond: options.down_bytes_per_sec,
        });
        if (operations === undefined) return paced;
        const { withConcurrency } = await import("./with-concurrency.js");
        return withConcurrency(paced, { operations });
      },
    }),
    storeProvider("read-only", {
      options: plainOptions,
      needs: (options) => [storeToken(options.store)],
      create: async (options, resolver, { id = "read-only" }) =>
        (await import("./read-only.js")).readOnly(lent(options, resolver, id)),
    }),
    storeProvider("logging", {
      options: plainOptions,
      needs: (options) => [storeToken(options.store)],
      async create(options, resolver, { id = "logging" }) {
        const { withLogging } = await import("./with-logging.js");
        return withLogging(lent(options, resolver, id), resolver.get(LOGGER));
      },
    }),
    storeProvider("chaos", {
      options: chaosOptions,
      needs: (options) => [storeToken(options.store)],
      async create({ seed, rates, ...options }, resolver, { id = "chaos" }) {
        const { chaos } = await import("./chaos.js");
        return chaos(lent(options, resolver, id), { seed, rates, maxDelayMs: options.max_delay_secs * 1_000 });
      },
    }),
  ],
});

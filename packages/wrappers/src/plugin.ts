import { definePlugin, LOGGER, storeProvider, storeToken } from "@keepsake/core";
import { z } from "zod";
import { readOnly } from "./read-only.js";
import { withBandwidth } from "./with-bandwidth.js";
import { withConcurrency } from "./with-concurrency.js";
import { withLogging } from "./with-logging.js";
import { withRetry } from "./with-retry.js";
import { withTimeout } from "./with-timeout.js";
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

const limitOptions = z.strictObject({
  store,
  operations: z.number().int().min(1).optional().describe("How much the store works on at a time; default: no limit."),
  up_bytes_per_sec: rate.optional().describe("Bytes per second to the store; default: no limit."),
  down_bytes_per_sec: rate.optional().describe("Bytes per second from the store; default: no limit."),
});

const plainOptions = z.strictObject({ store });

/** What is put around a store of the configuration. */
export default definePlugin({
  name: "wrappers",
  api: 1,
  providers: [
    storeProvider("retry", {
      options: retryOptions,
      needs: (options) => [storeToken(options.store)],
      create: (options, resolver, { id = "retry" }) =>
        withRetry(lentStore(resolver.get(storeToken(options.store)), id), {
          attempts: options.attempts,
          firstDelayMs: options.first_delay_secs * 1_000,
          maxDelayMs: options.max_delay_secs * 1_000,
          spoolBytes: options.spool_bytes,
        }),
    }),
    storeProvider("timeout", {
      options: timeoutOptions,
      needs: (options) => [storeToken(options.store)],
      create: (options, resolver, { id = "timeout" }) =>
        withTimeout(lentStore(resolver.get(storeToken(options.store)), id), {
          callMs: options.call_secs * 1_000,
          silenceMs: options.silence_secs * 1_000,
        }),
    }),
    storeProvider("limit", {
      options: limitOptions,
      needs: (options) => [storeToken(options.store)],
      create: ({ operations, ...options }, resolver, { id = "limit" }) => {
        const lent = lentStore(resolver.get(storeToken(options.store)), id);
        const paced = withBandwidth(lent, {
          upBytesPerSecond: options.up_bytes_per_sec,
          downBytesPerSecond: options.down_bytes_per_sec,
        });
        return operations === undefined ? paced : withConcurrency(paced, { operations });
      },
    }),
    storeProvider("read-only", {
      options: plainOptions,
      needs: (options) => [storeToken(options.store)],
      create: (options, resolver, { id = "read-only" }) =>
        readOnly(lentStore(resolver.get(storeToken(options.store)), id)),
    }),
    storeProvider("logging", {
      options: plainOptions,
      needs: (options) => [storeToken(options.store), LOGGER],
      create: (options, resolver, { id = "logging" }) =>
        withLogging(lentStore(resolver.get(storeToken(options.store)), id), resolver.get(LOGGER)),
    }),
  ],
});

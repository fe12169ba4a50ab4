import { definePlugin, lockProvider, storeProvider } from "@keepsake/core";

/** The store and the locks of this package, as `memory`: each Keepsake has its own, and they end with it. */
export default definePlugin({
  name: "memory",
  api: 1,
  providers: [
    storeProvider("memory", {
      create: async (_options, _resolver, { id }) => (await import("./memory-store.js")).memoryStore(id),
    }),
    lockProvider("memory", { create: async () => (await import("./memory-locks.js")).memoryLocks() }),
  ],
});

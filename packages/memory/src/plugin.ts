import { definePlugin, lockProvider, storeProvider } from "@keepsake/core";
import { memoryLocks } from "./memory-locks.js";
import { memoryStore } from "./memory-store.js";

/** The store and the locks of this package, as `memory`: each Keepsake has its own, and they end with it. */
export default definePlugin({
  name: "memory",
  api: 1,
  providers: [
    storeProvider("memory", { create: (_options, _resolver, { id }) => memoryStore(id) }),
    lockProvider("memory", { create: () => memoryLocks() }),
  ],
});

// Run by `node --test`, as a plugin author without vitest would.
import { describe, it } from "node:test";
import { lockConformance, memoryLocks, memoryStore, runConformance, storeConformance } from "../dist/index.js";

runConformance(
  [
    ...storeConformance({ create: () => ({ store: memoryStore(), reopen: null, boundedMemory: false }) }),
    ...lockConformance({
      create() {
        const locks = memoryLocks();
        return { locks, other: null, lose: (name) => locks.lose(name) };
      },
    }),
  ],
  { describe, it },
);

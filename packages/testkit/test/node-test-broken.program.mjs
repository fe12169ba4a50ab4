// A store whose ranges are all the whole object: `node --test` has to fail.
import { describe, it } from "node:test";
import { memoryStore, runConformance, storeConformance } from "../dist/index.js";

const store = memoryStore();
const broken = { ...store, get: (key, { signal } = {}) => store.get(key, { signal }) };
const cases = storeConformance({ create: () => ({ store: broken, reopen: null }) });
runConformance(
  cases.filter(({ id }) => id === "store.get.ranges"),
  { describe, it },
);

export { type MemoryLocks, memoryLocks } from "./memory-locks.js";
export { memoryStore } from "./memory-store.js";
export { default as memoryPlugin } from "./plugin.js";

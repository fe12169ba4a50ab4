export { type FaultyStore, faultyStore, type StoreFault, type StoreMethod } from "./faulty-store.js";
export { type MemoryLocks, memoryLocks } from "./memory-locks.js";
export { memoryStore } from "./memory-store.js";
export { chunked, collect } from "./streams.js";
export { type TempDir, tempDir } from "./temp-dir.js";
export { type TreeDigest, treeDigest, type TreeDigestOptions, type TreeNode } from "./tree-digest.js";
export { type TreeSpec, type TreeSpecNode, writeTree } from "./write-tree.js";

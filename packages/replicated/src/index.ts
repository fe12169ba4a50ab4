export { default as replicatedPlugin } from "./plugin.js";
export { type ReadRule, replicated, type ReplicatedOptions, type WriteRule } from "./replicated.js";
export { tiered, type TieredOptions, type TieredStore } from "./tiered.js";

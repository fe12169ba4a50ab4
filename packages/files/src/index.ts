export { claimTest } from "./claims.js";
export {
  fsyncDirectory,
  publishFile,
  replaceFileDurably,
  writeAll,
  writeNewFile,
  type WriteOptions,
} from "./durable.js";
export { type FsPath, fromJsonPath, joinRaw, type JsonPath, normalFsPath, parentOf, toJsonPath } from "./fs-path.js";
export { pathMatcher } from "./globs.js";
export { makeStagingPlace, OWN_PREFIX, stagingPlaceFor } from "./staging-place.js";
export { applySwap, revertSwap } from "./swap.js";
export { type Attributes, type SwapPlan, swapPlanFromJson, swapPlanToJson, type SwapStep } from "./swap-plan.js";
export { walkTree, type WalkEntry, type WalkFailure, type WalkOptions } from "./walk.js";

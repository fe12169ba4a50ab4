export * from "./basics.js";
export {
  type Attributes,
  attributesOf,
  lookAt,
  lookAtNow,
  sameAttributes,
  sameTime,
  setAttributesNow,
  setTime,
  setTimeSync,
} from "./attributes.js";
export { beginsWith } from "./begins-with.js";
export { claimTest } from "./claims.js";
export {
  canTellHolders,
  type FileIdentity,
  type Holder,
  holdersOfFiles,
  identityOf,
  liveHolder,
  lockedHere,
  lockHolders,
  namedHolders,
} from "./file-holders.js";
export {
  type FsPath,
  fromJsonPath,
  joinLatin1,
  joinRaw,
  type JsonPath,
  normalFsPath,
  parentOf,
  pathKey,
  textOfKey,
  toJsonPath,
} from "./fs-path.js";
export { type GlobOptions, isGlob, pathMatcher } from "./globs.js";
export { isOwnName, OWN_PREFIX } from "./own-names.js";
export { bytesOfEntry, placeEntry, type PlaceOptions } from "./place-entry.js";
export { makeStagingPlace, stagingPlaceFor } from "./staging-place.js";
export { ProcessWatch } from "./process-watch.js";
export { applySwap, revertSwap } from "./swap.js";
export { syncAtOnce } from "./sync-at-once.js";
export { isPending, type SwapPlan, swapPlanFromJson, swapPlanToJson, type SwapStep } from "./swap-plan.js";
export {
  walkTree,
  walkTreeSync,
  type WalkEntry,
  type WalkFailure,
  type WalkOptions,
  walkStats,
  type WalkStats,
} from "./walk.js";
export { readChunks } from "./read-chunks.js";
export { type KeptBytes, SmallFiles } from "./small-files.js";
export { TimeSlice } from "./time-slice.js";
export { youngForMs } from "./young.js";

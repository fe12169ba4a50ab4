/**
 * What a store and its locks need, which each command opens: durable files and who wrote them. No walking, swapping or
 * matching: those are loaded with the sources.
 */
export {
  fsyncDirectory,
  type NewFile,
  type Owner,
  publishFile,
  replaceFileDurably,
  sweepPartialOf,
  writeAll,
  writeNewFile,
  writeNewFileNow,
  type WriteOptions,
} from "./durable.js";
export { livenessOf, type Liveness, ownIdentity, type ProcessIdentity } from "./process-identity.js";

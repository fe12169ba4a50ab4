export { type MemoryLocks, memoryLocks, memoryStore } from "@keepsake/memory";
export { checkConformance, type CaseResult, type ConformanceReport } from "./conformance/check-conformance.js";
export { codecConformance } from "./conformance/codec/codec-conformance.js";
export type { CodecFactory, CodecSubject } from "./conformance/codec/codec-subject.js";
export type { ConformanceCase, ConformanceOptions } from "./conformance/conformance-case.js";
export type { CrashProgram } from "./conformance/crash/crash-program.js";
export { lockConformance } from "./conformance/lock/lock-conformance.js";
export type { LockFactory, LockSubject } from "./conformance/lock/lock-subject.js";
export { NotJudged } from "./conformance/not-judged.js";
export { type MadePart, type MakeOptions, makePart } from "./conformance/plugin/plugin-bench.js";
export {
  pluginConformance,
  type PluginFactory,
  type PluginSubject,
} from "./conformance/plugin/plugin-conformance.js";
export {
  redactionConformance,
  type RedactionFactory,
  type RedactionSample,
  type RedactionSubject,
} from "./conformance/redaction/redaction-conformance.js";
export { runConformance, type TestRunner } from "./conformance/run-conformance.js";
export { sourceConformance } from "./conformance/source/source-conformance.js";
export type { LiveData, SourceFactory, SourceSubject } from "./conformance/source/source-subject.js";
export { stateConformance, type StateFactory, type StateSubject } from "./conformance/state/state-conformance.js";
export { storeConformance } from "./conformance/store/store-conformance.js";
export type { StoreFactory, StoreSubject } from "./conformance/store/store-subject.js";
export { type CaseDescription, describeConformance } from "./conformance/suites.js";
export { type DiskCall, type DiskFault, nameOfFault, type Strike } from "./faults/disk-fault.js";
export { DiskFaults } from "./faults/disk-faults.js";
export { type DiskPoint, pointsOf, spread } from "./faults/disk-point.js";
export type { Program, ProgramRun, RunOptions } from "./faults/program.js";
export type { ResidentProgram } from "./faults/resident-program.js";
export { type Struck, sweep, type SweepCase, type SweepReport } from "./faults/sweep.js";
export { type FaultyStore, faultyStore, type StoreFault, type StoreMethod } from "./faulty-store.js";
export { randomToken } from "./random-token.js";
export { chunked, collect } from "./streams.js";
export { type TempDir, tempDir } from "./temp-dir.js";
export { type TreeDigest, treeDigest, type TreeDigestOptions, type TreeNode } from "./tree-digest.js";
export { unpackedCopy } from "./unpacked-copy.js";
export { type TreeSpec, type TreeSpecNode, writeTree } from "./write-tree.js";

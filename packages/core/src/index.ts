export * from "./basics.js";
export {
  BUNDLE_FORMAT,
  contentDigest,
  DEFAULT_MAX_MANIFEST_BYTES,
  encodeManifest,
  isSealIntact,
  MANIFEST_ENTRY,
  MANIFEST_VERSION,
  NO_GIT_HEAD,
  type ParsedManifest,
  parseManifest,
  sealManifest,
} from "./manifest/manifest.js";
export type {
  ArtifactMeta,
  CutReport,
  GitHead,
  Manifest,
  Omission,
  RedactionReport,
  SourceSummary,
  UnsealedManifest,
} from "./manifest/schema.js";
export { definePlugin, type Plugin, PLUGIN_API, type Preset } from "./plugin/plugin.js";
export {
  type AnyProvider,
  codecProvider,
  eventProvider,
  lockProvider,
  type Needs,
  type Provider,
  type ProviderContext,
  type ProviderKind,
  type ProviderKinds,
  redactionProvider,
  type Resolver,
  serviceProvider,
  sourceProvider,
  stateProvider,
  storeProvider,
} from "./plugin/provider.js";
export { secretRefSchema } from "./plugin/secret-ref.js";
export type { StandardIssue, StandardResult, StandardSchema } from "./plugin/standard-schema.js";
export {
  CLOCK,
  LOGGER,
  SECRETS,
  type SecretReader,
  type SecretRef,
  STATE_ROOT,
  STORE_TROUBLES,
  type Token,
  storeNameOf,
  storeToken,
  token,
} from "./plugin/tokens.js";
export type {
  AbsentEntry,
  ArtifactSource,
  CaptureSession,
  CaptureTarget,
  DirectoryEntry,
  FileContent,
  FileEntry,
  KnownFile,
  OmissionReason,
  OmittedEntry,
  SourceEntry,
  SourceFacts,
  SymlinkEntry,
} from "./ports/artifact-source.js";
export type { ArtifactReader, BundleEntry } from "./ports/bundle-entry.js";
export type { BundleStore, ByteRange, StoreCapabilities, StoredBody, StoredObject } from "./ports/bundle-store.js";
export { type Clock, SYSTEM_CLOCK } from "./ports/clock.js";
export type { Codec, DecodeOptions, FrameCodec, FrameSize } from "./ports/codec.js";
export type { EventPublisher, LifecycleEvent, MutationEvent } from "./ports/event-publisher.js";
export type { HealthFinding } from "./ports/health-finding.js";
export type { Lock, LockManager } from "./ports/lock-manager.js";
export { type Logger, SILENT_LOGGER } from "./ports/logger.js";
export type { PathResolver } from "./ports/path-resolver.js";
export type { RangedBytes } from "./ports/ranged-bytes.js";
export type {
  AddedArtifact,
  Finding,
  HistoryPlace,
  HistoryRedaction,
  RedactionOutcome,
  RedactionPolicy,
  ScanContext,
  StagedArtifact,
  TracedPlace,
} from "./ports/redaction-policy.js";
export type { RestoreSelection } from "./ports/restore-selection.js";
export type { PlannedChange, RestorePlan, RestoreSession, RestoreTarget } from "./ports/restore-session.js";
export type { DiffItem, SourceDiff } from "./ports/source-diff.js";
export { parseStaleKey, STALE_PREFIX, staleKey } from "./ports/stale-copies.js";
export type { StoreTrouble, TellTrouble } from "./ports/store-trouble.js";
export type {
  StateItem,
  StateOmission,
  StateProvider,
  StateRestoreOptions,
  StateTarget,
} from "./ports/state-provider.js";
export { encodeRecord, parseRecord, type SnapshotRecord } from "./record/record.js";
export { composePolicies, isReplaced, replacementFor } from "./redaction/compose-policies.js";
export {
  type DocumentFinding,
  type DocumentFindings,
  findInDocument,
} from "./redaction/document/find-in-document.js";
export { pairRoleOf, type PairRole } from "./redaction/document/name-and-value.js";
export { type MaskedBytes, maskInBytes } from "./redaction/document/mask-in-bytes.js";
export {
  redactDocument,
  redactDocumentText,
  type RedactedDocument,
  type UnscannedReason,
} from "./redaction/document/redact-document.js";
export { redactStream, type StreamOutcome, type StreamSizes } from "./redaction/document/redact-stream.js";
export { addMatch, addMatches } from "./redaction/add-matches.js";
export { mergeFindings } from "./redaction/merge-findings.js";
export { namePolicy } from "./redaction/name-policy.js";
export { type RedactedText, redactText } from "./redaction/redact-text.js";
export { canonicalDigest, canonicalJson } from "./wire/canonical-json.js";
export { fromWire, toWire } from "./wire/case.js";

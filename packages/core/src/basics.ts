/**
 * What needs no schema library: bytes, errors, names and paths. A process that starts for a moment loads this in a tenth of the
 * time of the whole.
 */
export { eachAtOnce } from "./async/each-at-once.js";
export { OneAhead } from "./async/one-ahead.js";
export { abortable } from "./bytes/abortable.js";
export { ByteReader } from "./bytes/byte-reader.js";
export type { ByteStream } from "./bytes/byte-stream.js";
export { collectBytes } from "./bytes/collect.js";
export { type ByteDigest, digestOf, HashedStream, sha256Hex } from "./bytes/hashed-stream.js";
export { orAborted } from "./bytes/or-aborted.js";
export { streamOf } from "./bytes/stream-of.js";
export { ERROR_CODES, type ErrorCode, isErrorCode, type RetryAdvice } from "./errors/codes.js";
export { type ErrorDetails, isAbortError, isKeepsakeError, KeepsakeError } from "./errors/keepsake-error.js";
export { errnoOf, fromSystemError } from "./errors/system-error.js";
export { type ArtifactPath, foldedPath, isArtifactPath, parseArtifactPath } from "./ids/artifact-path.js";
export { type BundleName, BundleNames } from "./ids/bundle-names.js";
export { isAscii } from "./ids/is-ascii.js";
export { isLinkInside, isPlainLinkTarget, plainLinkTarget } from "./ids/link-target.js";
export { type AgentId, type AgentRef, NOBODY, parseAgentId, parseTenantId, type TenantId } from "./ids/names.js";
export { percentDecode, percentDecodePath, percentEncodePath, toBundlePath } from "./ids/percent-path.js";
export { isSnapshotId, parseSnapshotId, type SnapshotId } from "./ids/snapshot-id.js";
export { isJsonObject, type JsonObject, type JsonValue } from "./json.js";
export type { AgentPaths, OpOptions, PathClaim, WatchedPlace } from "./ports/options.js";

import {
  type AgentRef,
  type BundleStore,
  type ByteStream,
  type Codec,
  encodeManifest,
  HashedStream,
  isKeepsakeError,
  type JsonValue,
  type Manifest,
  type OpOptions,
  sealManifest,
  type SnapshotId,
  type SnapshotRecord,
  streamOf,
  type UnsealedManifest,
} from "@keepsake/core";
import { SnapshotCatalog } from "../catalog/snapshot-catalog.js";
import { recordOf } from "../catalog/record-of.js";
import { PhaseTimes } from "../snapshot/phase-times.js";
import { bundleKey, digestKey, recordKey } from "../layout.js";
import { suffixOf } from "./codec-chain.js";
import { encodeArchive, type EncodeOptions } from "./encode-archive.js";
import { archiveSegments } from "./segments.js";
import type { StagedArtifactFile } from "./staged-bundle.js";

/** A bundle ready to be written. */
export interface BundleToWrite {
  readonly unsealed: Omit<UnsealedManifest, "encryption">;
  /** in the order of the manifest's artifacts */
  readonly artifacts: readonly StagedArtifactFile[];
  readonly codecs: readonly Codec[];
}

/** The sealed manifest and the encoded bytes of a bundle. */
export function encodeBundle(
  bundle: BundleToWrite,
  { signal, onBytes, phases, memo }: Pick<Publication, "signal" | "onBytes" | "phases" | "memo">,
): { manifest: Manifest; bytes: ByteStream } {
  const encryption = encryptionOf(bundle.codecs);
  const { manifest, wire } = sealManifest({ ...bundle.unsealed, ...(encryption === undefined ? {} : { encryption }) });
  const segments = archiveSegments(encodeManifest(wire), bundle.artifacts);
  const options = { signal, onBytes, phases, earlier: memo?.earlier, onSegment: memo?.onSegment };
  return { manifest, bytes: encodeArchive(segments, bundle.codecs, options) };
}

function encryptionOf(codecs: readonly Codec[]): UnsealedManifest["encryption"] {
  const facts = codecs.find((codec) => codec.encrypts === true)?.describe?.();
  if (facts === undefined) return undefined;
  const fingerprints: JsonValue = facts["recipientsFingerprint"] ?? [];
  return {
    scheme: typeof facts["scheme"] === "string" ? facts["scheme"] : "unknown",
    recipientsFingerprint: Array.isArray(fingerprints) ? fingerprints.map(String) : [],
  };
}

/** Where a bundle is published, and under what guard. */
export interface Publication extends OpOptions {
  readonly ref: AgentRef;
  readonly id: SnapshotId;
  readonly store: BundleStore;
  readonly privateLabel: boolean;
  readonly onBytes?: ((bytesPacked: number) => void) | undefined;
  /** where the time goes; told in the record */
  readonly phases?: PhaseTimes | undefined;
  /** what can be taken over from an earlier bundle, and who remembers for the next */
  readonly memo?: Pick<EncodeOptions, "earlier" | "onSegment"> | undefined;
  /** looks at the stored bytes before the record makes the snapshot visible; may throw to take them back */
  readonly prove?: ((stored: () => Promise<ByteStream>) => Promise<void>) | undefined;
  /** asked right before the record makes the snapshot visible */
  readonly assertHeld: () => Promise<void>;
}

/**
 * Writes a bundle into a store: body, digest, then the record, which makes it exist. On any failure before the record
 * nothing stays.
 */
export async function publishBundle(
  bundle: BundleToWrite,
  publication: Publication,
): Promise<{ readonly manifest: Manifest; readonly record: SnapshotRecord }> {
  const { bytes, manifest } = encodeBundle(bundle, publication);
  const key = bundleKey(publication.ref, publication.id, suffixOf(bundle.codecs));
  const codecs = bundle.codecs.map((codec) => codec.id);
  return { manifest, record: await publishBytes(bytes, key, manifest, codecs, publication) };
}

/** The same for bytes that are a bundle already. */
export async function publishBytes(
  bytes: ByteStream,
  key: string,
  manifest: Manifest,
  codecs: readonly string[],
  { ref, id, store, signal, privateLabel, assertHeld, prove, phases = new PhaseTimes() }: Publication,
): Promise<SnapshotRecord> {
  const hashed = new HashedStream(bytes);
  const catalog = new SnapshotCatalog(store);
  try {
    await phases.of("store", () => store.put(key, hashed, { signal }));
  } catch (error) {
    // What has the name already was written by somebody else: it is not ours to take back.
    if (!isKeepsakeError(error, "E_ALREADY_EXISTS")) await withdraw(store, key, recordKey(ref, id));
    throw error;
  }
  try {
    await prove?.(async () => (await store.get(key, { signal })).body);
    const { sizeBytes, sha256: fileSha256 } = hashed.digest;
    await store.put(digestKey(key), streamOf(`${fileSha256}\n`), { signal });
    const facts = { bundlePath: key, sizeBytes, fileSha256, codecs, privateLabel, phasesMs: phases.all };
    const record = recordOf(manifest, facts);
    await assertHeld();
    await catalog.publish(record, { signal });
    return record;
  } catch (error) {
    await withdraw(store, key, recordKey(ref, id));
    throw error;
  }
}

/**
 * Takes back what was written before the record. A record that is there although writing it failed (an answer that was
 * lost on the way) makes the snapshot exist: then nothing is taken back.
 */
async function withdraw(store: BundleStore, key: string, record: string): Promise<void> {
  try {
    if ((await store.head(record)) !== undefined) return;
    await store.delete(key);
    await store.delete(digestKey(key));
  } catch {
    // Without a record nobody sees it; the next sweep removes what could not be removed now.
  }
}

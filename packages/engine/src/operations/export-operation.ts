import { KeepsakeError, type SnapshotRecord } from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { uuidv7 } from "uuidv7";
import { agentRefOf } from "../agent-ref.js";
import { AgentSession, type LockedOptions } from "../agent-session.js";
import { BundleReader } from "../bundle/bundle-reader.js";
import type { BundleOrigin } from "../bundle/bundle-origin.js";
import { encodeBundle } from "../bundle/bundle-writer.js";
import { suffixOf } from "../bundle/codec-chain.js";
import { locateBundle } from "../bundle/locate-bundle.js";
import { rebuildBundle, stagedArtifactsOf } from "../bundle/rebuild-bundle.js";
import type { ExportReport, ExportRequest, OperationOptions } from "../memory-snapshotter.js";
import { proveBundle } from "../redaction/bundle-proof.js";
import { checkPrivateParts } from "../redaction/check-private.js";
import { redactBundle, type RedactedBundle } from "../redaction/redact-bundle.js";
import { UnpackedBundle } from "../restore/unpacked-bundle.js";
import { PrivateStaging } from "../snapshot/private-staging.js";
import { WORKSPACE } from "../tokens.js";
import type { AgentProfile, Workspace } from "../workspace.js";
import { ExportTarget } from "./export-target.js";

/** Copies a snapshot out of the store, with its digest; redacted or encrypted anew on the way if asked. */
@injectable()
export class ExportOperation {
  readonly #workspace: Workspace;
  readonly #session: AgentSession;
  readonly #reader: BundleReader;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(AgentSession) session: AgentSession,
    @inject(BundleReader) reader: BundleReader,
  ) {
    this.#workspace = workspace;
    this.#session = session;
    this.#reader = reader;
  }

  async run(request: ExportRequest, options: OperationOptions): Promise<ExportReport> {
    const ref = agentRefOf(request);
    const { store, lock, limits } = await this.#workspace.storeOf(ref);
    return this.#session.run(ref, lock.timeoutMs, options, async (_held, locked) => {
      const { record, origin } = await locateBundle(store, ref, request.ref, locked);
      const changes = isRedacting(request) || (request.recipients?.length ?? 0) > 0;
      return changes ? this.#rebuild(request, origin, limits, locked) : copy(request, record, origin, locked);
    });
  }

  async #rebuild(
    request: ExportRequest,
    origin: BundleOrigin,
    limits: AgentProfile["limits"],
    options: LockedOptions,
  ): Promise<ExportReport> {
    const ref = agentRefOf(request);
    await using staging = await PrivateStaging.make(this.#workspace.stateRoot, ref, uuidv7());
    const { signal } = options;
    const identityFiles = request.identityFiles ?? [];
    const reading = { identityFiles, limits, signal };
    const unpacked = await UnpackedBundle.unpack(this.#reader, origin, staging, reading);
    const wasEncrypted = unpacked.manifest.encryption !== undefined;
    const codecs = await this.#workspace.encoders(ref, {
      recipients: request.recipients,
      // A copy of an encrypted bundle is never plaintext because nobody was named.
      forceEncryption: wasEncrypted,
      ...(wasEncrypted ? { toOwnersOf: identityFiles } : {}),
    });
    if (isRedacting(request)) checkPrivateParts((await this.#workspace.interpretersOf(ref)).sources, codecs);
    const id = unpacked.manifest.snapshotId;
    const target = await ExportTarget.at(request.to, id, `.tar${suffixOf(codecs)}`);
    const redacted = isRedacting(request) ? await this.#redact(request, unpacked, staging, options) : undefined;
    const rebuilt = rebuildBundle(unpacked.manifest, redacted ?? stagedArtifactsOf(unpacked), codecs);
    const { bytes } = encodeBundle(rebuilt, { signal });
    const { sizeBytes, sha256 } = await target.write(
      bytes,
      async (_digest, stored) => redacted && (await proveBundle(rebuilt, redacted.search, stored, { signal })),
      { signal },
    );
    const report = { id, bundle: target.path, sha256File: target.digestPath, sizeBytes, fileSha256: sha256 };
    return redacted === undefined ? report : { ...report, redactions: redacted.report };
  }

  /** Redacts each source's artifacts as that source does it; those of unknown sources as text. */
  async #redact(
    { requireClean, ...request }: ExportRequest,
    unpacked: UnpackedBundle,
    staging: PrivateStaging,
    { signal, onProgress }: LockedOptions,
  ): Promise<RedactedBundle> {
    onProgress?.({ phase: "redact", bytesDone: 0 });
    const { sources, redaction } = await this.#workspace.interpretersOf(agentRefOf(request));
    const { seal: _seal, encryption: _encryption, redactions: _earlier, ...unsealed } = unpacked.manifest;
    return redactBundle(
      { unsealed, artifacts: stagedArtifactsOf(unpacked) },
      {
        sources,
        policies: await redaction.policies(),
        staging,
        requireClean: requireClean ?? redaction.requireClean ?? false,
      },
      { signal },
    );
  }
}

function isRedacting({ redact, requireClean }: ExportRequest): boolean {
  return redact === true || requireClean === true;
}

async function copy(
  request: ExportRequest,
  record: SnapshotRecord,
  origin: BundleOrigin,
  { signal }: LockedOptions,
): Promise<ExportReport> {
  const suffix = origin.fileName.slice(record.id.length);
  const target = await ExportTarget.at(request.to, record.id, suffix);
  const { body } = await origin.open(signal);
  const check = ({ sha256 }: { readonly sha256: string }) => {
    if (sha256 === record.fileSha256) return;
    throw new KeepsakeError("E_INTEGRITY", `The stored bundle ${record.id} is damaged; it is not exported.`, {
      context: { id: record.id },
    });
  };
  const { sizeBytes, sha256 } = await target.write(body, check, { signal });
  return { id: record.id, bundle: target.path, sha256File: target.digestPath, sizeBytes, fileSha256: sha256 };
}

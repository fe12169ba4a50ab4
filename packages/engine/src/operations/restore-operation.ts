import { lstat, readdir } from "node:fs/promises";
import {
  type AgentRef,
  type Clock,
  errnoOf,
  isKeepsakeError,
  KeepsakeError,
  type Lock,
  type Manifest,
  parseSnapshotId,
  type SnapshotRecord,
} from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { uuidv7 } from "uuidv7";
import { agentRefOf } from "../agent-ref.js";
import { AgentSession, type LockedOptions } from "../agent-session.js";
import { type BundleOrigin, originInFile, originOfRecord } from "../bundle/bundle-origin.js";
import { checkPlace } from "../check-place.js";
import { BundleReader } from "../bundle/bundle-reader.js";
import { checkOwner } from "../bundle/check-owner.js";
import { isRedacted } from "../catalog/record-of.js";
import { SnapshotCatalog } from "../catalog/snapshot-catalog.js";
import type { OperationOptions, RestoreReport, RestoreRequest } from "../memory-snapshotter.js";
import { liveDifference } from "../restore/live-difference.js";
import { type ReportFacts, restoreReport } from "../restore/restore-report.js";
import { StoredCheck } from "../restore/stored-check.js";
import { RestoreTransaction } from "../restore/restore-transaction.js";
import { UnpackedBundle } from "../restore/unpacked-bundle.js";
import { PrivateStaging } from "../snapshot/private-staging.js";
import { SnapshotPipeline } from "../snapshot/snapshot-pipeline.js";
import { ENGINE_CLOCK, WORKSPACE } from "../tokens.js";
import type { AgentProfile, Workspace } from "../workspace.js";

/** Puts a bundle back over the live memory: wholly, or not at all. */
@injectable()
export class RestoreOperation {
  readonly #workspace: Workspace;
  readonly #session: AgentSession;
  readonly #reader: BundleReader;
  readonly #pipeline: SnapshotPipeline;
  readonly #storedCheck: StoredCheck;
  readonly #clock: Clock;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(AgentSession) session: AgentSession,
    @inject(BundleReader) reader: BundleReader,
    @inject(SnapshotPipeline) pipeline: SnapshotPipeline,
    @inject(StoredCheck) storedCheck: StoredCheck,
    @inject(ENGINE_CLOCK) clock: Clock,
  ) {
    this.#workspace = workspace;
    this.#session = session;
    this.#reader = reader;
    this.#pipeline = pipeline;
    this.#storedCheck = storedCheck;
    this.#clock = clock;
  }

  async run(request: RestoreRequest, options: OperationOptions): Promise<RestoreReport> {
    const ref = agentRefOf(request);
    const profile = await this.#workspace.profile(ref, request.memory);
    await checkPlace(profile.paths.memory, this.#workspace.stateRoot);
    const report = await this.#session.run(ref, profile.lock.timeoutMs, options, (lock, locked) =>
      this.#restore(request, profile, lock, locked),
    );
    if (!report.dryRun) await this.#announce(ref, report);
    return report;
  }

  async #restore(
    request: RestoreRequest,
    profile: AgentProfile,
    lock: Lock,
    options: LockedOptions,
  ): Promise<RestoreReport> {
    const operationId = uuidv7();
    const { stateRoot } = this.#workspace;
    await using staging = await PrivateStaging.make(stateRoot, profile.ref, operationId);
    const unpacked = await this.#unpack(request, profile, staging, options);
    const isLive = await holdsSomething(profile.paths.memory);
    checkRedaction(unpacked.manifest, request, isLive);
    const { only } = request;
    const order = { profile, stateRoot, operationId, live: request.live === true, only, lock };
    await using transaction = new RestoreTransaction(order);
    await transaction.stage(unpacked, options, () => options.onProgress?.({ phase: "stage", bytesDone: 0 }));
    const compared =
      (request.difference ?? request.dryRun === true)
        ? await this.#compare(request, profile, transaction, options)
        : {};
    const facts = { request, profile, manifest: unpacked.manifest, transaction, ...compared };
    if (request.dryRun === true) return restoreReport({ ...facts, workersRestarted: false });
    const preSnapshot = isLive
      ? await this.#preSnapshot(request, profile, unpacked.manifest, lock, options)
      : undefined;
    const workersRestarted = await this.#commit(transaction, profile, options);
    return restoreReport({ ...facts, workersRestarted, ...(preSnapshot === undefined ? {} : { preSnapshot }) });
  }

  async #unpack(
    request: RestoreRequest,
    profile: AgentProfile,
    staging: PrivateStaging,
    options: LockedOptions,
  ): Promise<UnpackedBundle> {
    const origin = await this.#origin(request, profile, options);
    const reading = {
      identityFiles: request.identityFiles ?? [],
      limits: profile.limits,
      signal: options.signal,
      onBytes: (bytesDone: number, bytesTotal: number) =>
        options.onProgress?.({ phase: "unpack", bytesDone, bytesTotal }),
    };
    const inspect = (manifest: Manifest): void => {
      checkOwner(manifest, profile.ref);
    };
    return request.only === undefined
      ? UnpackedBundle.unpack(this.#reader, origin, staging, reading, inspect)
      : UnpackedBundle.open(this.#reader, origin, staging, reading, inspect);
  }

  /** What cannot be compared keeps no restore from being planned: the report then says so. */
  async #compare(
    request: RestoreRequest,
    profile: AgentProfile,
    transaction: RestoreTransaction,
    options: LockedOptions,
  ): Promise<Pick<ReportFacts, "difference" | "notices">> {
    const { stateRoot } = this.#workspace;
    await using live = await PrivateStaging.make(stateRoot, profile.ref, uuidv7());
    await using stored = await PrivateStaging.make(stateRoot, profile.ref, uuidv7());
    const { signal } = options;
    try {
      const captured = await this.#pipeline.capture({ profile, allow: "best_effort" }, live, options);
      const unpacked = await this.#unpack(request, profile, stored, options);
      return { difference: await liveDifference(captured, unpacked, transaction, profile, { signal }) };
    } catch (error) {
      signal.throwIfAborted();
      if (!isKeepsakeError(error)) throw error;
      return { notices: [`The live memory could not be compared with the snapshot (${error.code}): ${error.message}`] };
    }
  }

  async #origin(request: RestoreRequest, profile: AgentProfile, options: LockedOptions): Promise<BundleOrigin> {
    if (request.bundleFile !== undefined) return originInFile(request.bundleFile);
    const record = await new SnapshotCatalog(profile.store).resolve(profile.ref, request.ref, options);
    return originOfRecord(profile.store, record);
  }

  /** Never redacted, and never plaintext where this bundle or the configuration asks for encryption. */
  async #preSnapshot(
    request: RestoreRequest,
    profile: AgentProfile,
    manifest: Manifest,
    lock: Lock,
    options: LockedOptions,
  ): Promise<SnapshotRecord | undefined> {
    if (!(request.preSnapshot ?? profile.restore.preSnapshot)) return undefined;
    const encrypted = manifest.encryption !== undefined;
    const codecs = await this.#workspace.encoders(profile.ref, {
      forceEncryption: encrypted,
      ...(encrypted ? { toOwnersOf: request.identityFiles ?? [] } : {}),
    });
    try {
      const { record } = await this.#pipeline.run(
        {
          id: parseSnapshotId(uuidv7()),
          profile,
          label: `auto:pre-restore-${manifest.snapshotId}`,
          createdBy: "keepsake",
          redact: false,
          codecs,
          allow: profile.cut.allow,
          exact: true,
          assertHeld: () => lock.assertHeld(),
        },
        options,
      );
      // What is to undo the restore is read back from the store before anything live changes.
      const { verifyAfter } = profile.restore;
      return await this.#storedCheck.run(profile, record, verifyAfter, request.identityFiles ?? [], options);
    } catch (error) {
      // Empty folders alone: there is nothing that an undo could bring back.
      if (isKeepsakeError(error, "E_NOTHING_TO_CAPTURE")) return undefined;
      throw error;
    }
  }

  async #commit(transaction: RestoreTransaction, profile: AgentProfile, options: LockedOptions): Promise<boolean> {
    const target = { agent: profile.ref, paths: profile.paths };
    const paused: AsyncDisposable[] = [];
    try {
      for (const provider of profile.state) {
        const handle = await provider.quiesce?.(target, options);
        if (handle !== undefined) paused.push(handle);
      }
      options.onProgress?.({ phase: "commit", bytesDone: 0 });
      await transaction.commit({ signal: options.signal });
    } finally {
      for (const handle of paused.toReversed()) await handle[Symbol.asyncDispose]();
    }
    return paused.length > 0;
  }

  async #announce(ref: AgentRef, report: RestoreReport): Promise<void> {
    const atMs = this.#clock.now();
    const who = { agentId: ref.agent, tenant: ref.tenant, atMs };
    await this.#session.publish({ type: "lifecycle", kind: "restored", snapshotId: report.from, ...who });
    for (const source of new Set(report.plan.map((item) => item.source))) {
      const changes = report.plan.filter((item) => item.source === source).length;
      await this.#session.publish({ type: "mutation", source, details: { changes }, ...who });
    }
  }
}

function checkRedaction(manifest: Manifest, request: RestoreRequest, isLive: boolean): void {
  const matches = manifest.redactions?.matchesRedacted ?? 0;
  if (!isRedacted(manifest) || !isLive || request.acceptRedacted === true || request.dryRun === true) return;
  throw new KeepsakeError(
    "E_REDACTED_BUNDLE",
    `The bundle is redacted (${String(matches)} places); live memory would lose them.`,
    {
      context: { matches_redacted: matches },
      hint: "Use --accept-redacted to restore it all the same.",
    },
  );
}

async function holdsSomething(memory: string): Promise<boolean> {
  try {
    return (await readdir(memory)).length > 0;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    if (errnoOf(error) === "ENOTDIR") return (await lstat(memory)).isFile();
    throw error;
  }
}

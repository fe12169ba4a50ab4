import { setTimeout as sleep } from "node:timers/promises";
import {
  type AgentRef,
  BUNDLE_FORMAT,
  type BundleStore,
  type Clock,
  type Codec,
  contentDigest,
  isKeepsakeError,
  KeepsakeError,
  type Logger,
  MANIFEST_VERSION,
  NO_GIT_HEAD,
  type Omission,
  type OpOptions,
  parseSnapshotId,
  sealManifest,
  type SnapshotId,
  type SnapshotRecord,
  type UnsealedManifest,
} from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { byPath, type StagedArtifactFile } from "../bundle/staged-bundle.js";
import { publishBundle } from "../bundle/bundle-writer.js";
import type { OperationOptions, SnapshotResult, UnchangedSnapshot } from "../memory-snapshotter.js";
import { ENGINE_CLOCK, ENGINE_LOGGER, WORKSPACE } from "../tokens.js";
import { ENGINE_VERSION } from "../version.js";
import type { AgentProfile, Workspace } from "../workspace.js";
import { proveBundle } from "../redaction/bundle-proof.js";
import type { BundleDraft } from "../redaction/redact-manifest.js";
import { redactBundle, type RedactedBundle } from "../redaction/redact-bundle.js";
import { isOfEarlierBundle } from "../bundle/taken-over.js";
import { SnapshotCatalog } from "../catalog/snapshot-catalog.js";
import { SnapshotMemo } from "./known/snapshot-memo.js";
import { Standstill } from "./known/standstill.js";
import { type Capture, type CaptureOrder, captureOnce } from "./capture-once.js";
import { type CutMode, isWorthAnotherAttempt } from "./cut.js";
import { PhaseTimes } from "./phase-times.js";
import { PrivateStaging } from "./private-staging.js";
import type { StagedSource } from "./stage-source.js";
import { STATE_FOLDER } from "./stage-state.js";

/** A snapshot to take, validated; the caller holds the agent's lock. */
export interface SnapshotOrder {
  readonly id: SnapshotId;
  readonly profile: AgentProfile;
  readonly label?: string | undefined;
  readonly createdBy: string;
  readonly redact: boolean;
  /** fail when a redaction could not look through everything */
  readonly requireClean?: boolean;
  readonly codecs: readonly Codec[];
  readonly allow: CutMode;
  /** read everything, also what seems not to have changed */
  readonly full?: boolean;
  /** take none when the last one is of the very same */
  readonly skipUnchanged?: boolean;
  /** for an undo: sources capture byte for byte and tidy nothing */
  readonly exact?: boolean;
  readonly assertHeld: () => Promise<void>;
}

/** What is known of the last snapshot. */
interface Earlier {
  readonly memo: SnapshotMemo;
  readonly standstill: Standstill | undefined;
}

/** Cut, stage, redact, seal, pack, publish. */
@injectable()
export class SnapshotPipeline {
  readonly #workspace: Workspace;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(ENGINE_CLOCK) clock: Clock,
    @inject(ENGINE_LOGGER) logger: Logger,
  ) {
    this.#workspace = workspace;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @throws KeepsakeError `E_NOTHING_TO_CAPTURE`, `E_SOURCE_CHANGED`, `E_SOURCE_BUSY`, what sources and store throw */
  async run(order: SnapshotOrder, options: OperationOptions): Promise<SnapshotResult> {
    const { profile, codecs, redact, full = false } = order;
    const { ref, paths, store, snapshot } = profile;
    const { stateRoot } = this.#workspace;
    const standstill = await this.#standstill(order, options);
    const standing = await this.#standing(profile, standstill, options);
    if (standing !== undefined) return standing;
    const memory = paths.memory;
    const fullEvery = full || standstill?.isDue === true ? 1 : snapshot.fullReadEvery;
    const decoders = (fileName: string): Promise<readonly Codec[]> => this.#workspace.decoders(fileName, []);
    const { hasKeys = false } = profile.encryption;
    const known = { stateRoot, ref, memory, store, codecs, decoders, hasKeys, redact };
    const about = { ...known, fullEvery, logger: this.#logger };
    const memo = await SnapshotMemo.open(about);
    try {
      return await this.#take(order, { memo, standstill }, options);
    } catch (error) {
      if (memo.isEmpty || !isOfEarlierBundle(error)) throw error;
      this.#logger.warn("the last bundle is not what it was, and everything is read again", { reason: String(error) });
      return await this.#take(order, { memo: await SnapshotMemo.forgetting(about), standstill }, options);
    }
  }

  /** Whether the memory stands still is of use only to who takes no snapshot then. */
  async #standstill(order: SnapshotOrder, options: OperationOptions): Promise<Standstill | undefined> {
    if (order.skipUnchanged !== true) return undefined;
    const { profile, codecs, redact, requireClean = false, full = false } = order;
    const fullEvery = full ? 1 : profile.snapshot.fullReadEvery;
    const about = { stateRoot: this.#workspace.stateRoot, profile, codecs, redact, requireClean, fullEvery };
    return await Standstill.look(about, { signal: options.signal });
  }

  /** The last snapshot, if nothing about the memory has changed since, and it is there. */
  async #standing(
    { ref, store }: AgentProfile,
    standstill: Standstill | undefined,
    { signal }: OperationOptions,
  ): Promise<SnapshotResult | undefined> {
    const record = await lastRecord(store, ref, standstill?.since, { signal });
    if (record === undefined) return undefined;
    const bundle = await store.head(record.bundlePath, { signal });
    if (bundle?.sizeBytes !== record.bundleSizeBytes) return undefined;
    await standstill?.keepLast();
    return { record, unchanged: true };
  }

  async #take(order: SnapshotOrder, { memo, standstill }: Earlier, options: OperationOptions): Promise<SnapshotResult> {
    const { profile, id } = order;
    const { signal } = options;
    await using staging = await PrivateStaging.make(this.#workspace.stateRoot, profile.ref, id);
    const createdAtMs = this.#clock.now();
    const phases = new PhaseTimes();
    // What is redacted is redacted in its file.
    const encodesAhead = order.redact || memo.mayBeSame(order.skipUnchanged) ? undefined : order.codecs[0]?.frames;
    const onOpened: CaptureOrder["onOpened"] = (watched) => standstill?.begin(watched, { signal }) ?? Promise.resolve();
    const capturing = { ...order, keepsSmall: !order.redact, phases, known: memo.known, encodesAhead, onOpened };
    const staged = await this.capture(capturing, staging, options);
    await using ahead = staged.ahead;
    standstill?.end({ signal });
    const captured = [...staged.sources.flatMap((source) => source.artifacts), ...staged.state].sort(byPath);
    if (captured.length === 0) throw nothingToCapture(profile);
    const draft: BundleDraft = { unsealed: manifestOf(order, staged, captured, createdAtMs), artifacts: captured };
    const redact = () => this.#redact(draft, order, staging, options);
    const redacted = order.redact ? await phases.of("redact", redact) : undefined;
    const { unsealed, artifacts } = redacted ?? draft;
    const content = memo.capturedDigest(unsealed);
    const same =
      order.skipUnchanged === true ? await this.#same(profile, memo.sameAs(content), unsealed, options) : undefined;
    if (same !== undefined) {
      await memo.keepLast();
      await standstill?.keep(same, memo.isEmpty);
      return same;
    }
    const total = artifacts.reduce((sum, { meta }) => sum + meta.sizeBytes, 0);
    options.onProgress?.({ phase: "write", bytesDone: 0, bytesTotal: total });
    const bundle = { unsealed, artifacts, codecs: order.codecs };
    const result = await publishBundle(bundle, {
      ref: profile.ref,
      id,
      store: profile.store,
      privateLabel: profile.encryption.privateLabels && order.codecs.some((codec) => codec.encrypts === true),
      assertHeld: order.assertHeld,
      phases,
      memo: { earlier: memo.earlier ?? ahead, onSegment: memo.onSegment },
      ...(redacted && { prove: (stored) => proveBundle(bundle, redacted.search, stored, { signal: options.signal }) }),
      signal: options.signal,
      onBytes: (bytesDone) => options.onProgress?.({ phase: "write", bytesDone, bytesTotal: total }),
    });
    this.#logger.debug("phases of the snapshot, in milliseconds", phases.all);
    await memo.keep(result.record, artifacts, content);
    await standstill?.keep(result, memo.isEmpty);
    return result;
  }

  /** The last snapshot, if it is the one with this id. Its manifest is the one of now, which says the same. */
  async #same(
    { ref, store }: AgentProfile,
    id: string | undefined,
    unsealed: Omit<UnsealedManifest, "encryption">,
    { signal }: OperationOptions,
  ): Promise<Required<UnchangedSnapshot> | undefined> {
    const record = await lastRecord(store, ref, id, { signal });
    if (record === undefined) return undefined;
    const { createdAtMs, createdBy, label } = record;
    const asItWas = { ...unsealed, snapshotId: parseSnapshotId(record.id), createdAtMs, createdBy };
    const { manifest } = sealManifest(label === undefined ? asItWas : { ...asItWas, label });
    return { record, manifest, unchanged: true };
  }

  async #redact(
    draft: BundleDraft,
    { profile, requireClean }: SnapshotOrder,
    staging: PrivateStaging,
    options: OperationOptions,
  ): Promise<RedactedBundle> {
    options.onProgress?.({ phase: "redact", bytesDone: 0 });
    const { sources, redaction } = profile;
    const clean = requireClean ?? redaction.requireClean ?? false;
    const order = { sources, policies: await redaction.policies(), staging, requireClean: clean };
    return await redactBundle(draft, order, { signal: options.signal });
  }

  /**
   * Cut and stage alone; the caller holds the agent's lock.
   *
   * @param staging its own: it is cleared between two attempts
   * @throws KeepsakeError `E_SOURCE_CHANGED`, `E_SOURCE_BUSY`, what sources throw
   */
  async capture(order: CaptureOrder, staging: PrivateStaging, options: OperationOptions): Promise<Capture> {
    const modes = modesToTry(order.allow, order.profile.cut.attempts);
    for (const [index, mode] of modes.entries()) {
      const startedAtMs = this.#clock.now();
      try {
        const attempt = await captureOnce(order, staging, mode, startedAtMs, options);
        return { ...attempt, cut: { ...attempt.cut, attempts: index + 1 } };
      } catch (error) {
        if (!isWorthAnotherAttempt(error)) throw error;
        if (index === modes.length - 1) throw withAttempts(error, modes.length);
        this.#logger.debug("the cut is tried again", { attempt: index + 1, mode, reason: String(error) });
        await staging.clear();
        await backOff(index, options.signal);
      }
    }
    throw new KeepsakeError("E_INTERNAL", "No attempt at a cut was made.");
  }
}

/** The record of an agent's newest snapshot, if it is the one with this id. */
async function lastRecord(
  store: BundleStore,
  ref: AgentRef,
  id: string | undefined,
  options: OpOptions,
): Promise<SnapshotRecord | undefined> {
  if (id === undefined) return undefined;
  const catalog = new SnapshotCatalog(store);
  return (await catalog.newest(ref, options)) === id ? await catalog.resolve(ref, id, options) : undefined;
}

/** The strictest first; what is weaker only after it failed, and only where it is accepted. */
function modesToTry(allow: CutMode, attempts: number): readonly CutMode[] {
  const strict = Array.from({ length: Math.max(1, attempts) }, () => "instant" as const);
  if (allow === "instant") return strict;
  if (allow === "fenced") return [...strict, "fenced"];
  return [...strict, "fenced", "best_effort"];
}

function manifestOf(
  order: SnapshotOrder,
  { sources, stateOmitted, cut }: Capture,
  artifacts: readonly StagedArtifactFile[],
  createdAtMs: number,
): Omit<UnsealedManifest, "encryption"> {
  const { profile, label, createdBy, id } = order;
  const metas = artifacts.map(({ meta }) => meta);
  return {
    manifestVersion: MANIFEST_VERSION,
    bundleFormat: BUNDLE_FORMAT,
    snapshotId: id,
    agentId: profile.ref.agent,
    tenant: profile.ref.tenant,
    ...(label === undefined ? {} : { label }),
    createdAtMs,
    createdBy,
    schemaVersions: Object.assign({}, ...sources.map(({ facts }) => facts.schemaVersions)) as Record<string, number>,
    git: sources.find(({ facts }) => facts.git !== undefined)?.facts.git ?? NO_GIT_HEAD,
    artifacts: metas,
    sources: [...sources.map(({ summary }) => summary), ...stateSummary(profile, metas, stateOmitted)],
    omitted: [...sources.flatMap(({ omitted }) => omitted), ...stateOmitted],
    cut,
    toolVersions: toolVersions(sources),
    bundleSha256: contentDigest(metas),
  };
}

/** State values stand among the sources when a provider is configured: then a key that is missing was cleared. */
function stateSummary(
  profile: AgentProfile,
  metas: UnsealedManifest["artifacts"],
  { length: omitted }: readonly Omission[],
): UnsealedManifest["sources"] {
  if (profile.state.length === 0) return [];
  const own = metas.filter((meta) => meta.source === STATE_FOLDER);
  const bytes = own.reduce((sum, meta) => sum + meta.sizeBytes, 0);
  const status = own.length === 0 ? "absent" : omitted === 0 ? "captured" : "partial";
  return [{ id: STATE_FOLDER, kind: "state", status, required: false, artifacts: own.length, bytes, omitted }];
}

function toolVersions(sources: readonly StagedSource[]): Record<string, string> {
  const ours = { keepsake: ENGINE_VERSION, node: process.versions.node };
  return Object.assign({}, ...sources.map(({ facts }) => facts.toolVersions), ours) as Record<string, string>;
}

function nothingToCapture({ ref, paths }: AgentProfile): KeepsakeError {
  return new KeepsakeError(
    "E_NOTHING_TO_CAPTURE",
    `The agent ${ref.agent} has nothing to capture in ${paths.memory}.`,
    {
      context: { agent: ref.agent, tenant: ref.tenant, memory: paths.memory },
      hint: "Check the memory directory and the configured sources.",
    },
  );
}

function withAttempts(error: unknown, attempts: number): unknown {
  if (!isKeepsakeError(error)) return error;
  return new KeepsakeError(error.code, `${error.message} ${String(attempts)} attempts were made.`, {
    cause: error,
    context: { ...error.context, attempts },
    hint: error.hint,
  });
}

/** Doubling from 20 ms, with jitter, so that two snapshots do not keep meeting. */
async function backOff(index: number, signal: AbortSignal | undefined): Promise<void> {
  const ms = 20 * 2 ** Math.min(index, 6) * (0.5 + Math.random());
  await sleep(ms, undefined, signal === undefined ? {} : { signal });
}

import { isDeepStrictEqual } from "node:util";
import {
  type AgentRef,
  type Clock,
  contentDigest,
  digestOf,
  isKeepsakeError,
  isSealIntact,
  type Logger,
  type ParsedManifest,
  parseSnapshotId,
  type SnapshotRecord,
} from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { agentRefOf } from "../agent-ref.js";
import { type BundleOrigin, originInFile } from "../bundle/bundle-origin.js";
import { BundleReader, type ReadOptions } from "../bundle/bundle-reader.js";
import { countedStream } from "../bundle/counted-stream.js";
import { locateBundle } from "../bundle/locate-bundle.js";
import { type CheckMarks, markRecord, withMarks } from "../catalog/check-marks.js";
import type { OperationOptions, VerifyCheck, VerifyReport, VerifyRequest } from "../memory-snapshotter.js";
import { lockName } from "../layout.js";
import { RestoreProver } from "../restore/restore-prover.js";
import { isAgainstBundle, type Judgement, judgeFailure } from "../judge-failure.js";
import { ENGINE_CLOCK, ENGINE_LOGGER, WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";

/** How long the agent's lock is waited for, only to note what was found. */
const NOTE_TIMEOUT_MS = 2_000;
const NO_LIMITS = { maxManifestBytes: 64 * 1024 * 1024, maxBundleBytes: Number.MAX_SAFE_INTEGER };

/** Checks a bundle, and says of each check whether it passed, failed, or could not be made. */
@injectable()
export class VerifyOperation {
  readonly #workspace: Workspace;
  readonly #reader: BundleReader;
  readonly #prover: RestoreProver;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(BundleReader) reader: BundleReader,
    @inject(RestoreProver) prover: RestoreProver,
    @inject(ENGINE_CLOCK) clock: Clock,
    @inject(ENGINE_LOGGER) logger: Logger,
  ) {
    this.#workspace = workspace;
    this.#reader = reader;
    this.#prover = prover;
    this.#clock = clock;
    this.#logger = logger;
  }

  async run(request: VerifyRequest, options: OperationOptions): Promise<VerifyReport> {
    const reading = {
      identityFiles: request.identityFiles ?? [],
      limits: NO_LIMITS,
      signal: options.signal,
      onBytes: (bytesDone: number, bytesTotal: number) =>
        options.onProgress?.({ phase: "verify", bytesDone, bytesTotal }),
    };
    if (request.ref === undefined) return this.#check(originInFile(request.bundleFile), undefined, reading);
    const ref = agentRefOf(request);
    const { store, limits } = await this.#workspace.storeOf(ref);
    const { record, origin } = await locateBundle(store, ref, request.ref, { signal: options.signal });
    const report = await this.#check(origin, record, { ...reading, limits });
    const passed = report.checks.every(({ status }) => status === "ok");
    const failed = report.checks.some(isAgainstBundle);
    const verified = passed ? "passed" : failed ? "failed" : "unchanged";
    if (request.deep !== true) {
      await this.#note(ref, record, { verified, proven: "unchanged" }, options);
      return report;
    }
    const { check, restoreMs } = await this.#prover.prove(ref, origin, passed, {
      ...reading,
      limits,
      onBytes: undefined,
    });
    const lost = isAgainstBundle(check) ? "failed" : "unchanged";
    await this.#note(ref, record, { verified, proven: restoreMs === undefined ? lost : { restoreMs } }, options);
    return { ...report, ok: report.ok && isFine(check, reading), checks: [...report.checks, check] };
  }

  /** Where it can be: one in a store that only reads, or of an agent that is busy, has been verified all the same. */
  async #note(
    ref: AgentRef,
    record: SnapshotRecord,
    found: Omit<CheckMarks, "atMs">,
    { signal }: OperationOptions,
  ): Promise<void> {
    const marks = { ...found, atMs: this.#clock.now() };
    if (isDeepStrictEqual(withMarks(record, marks), record)) return;
    const { store } = await this.#workspace.storeOf(ref);
    const logger = this.#logger;
    try {
      await using lock = await this.#workspace.locks.acquire(lockName(ref), { timeoutMs: NOTE_TIMEOUT_MS, signal });
      await lock.assertHeld();
      await markRecord(store, ref, parseSnapshotId(record.id), marks, { signal, logger });
    } catch (error) {
      if (!isKeepsakeError(error)) throw error;
      logger.warn("what a check found could not be noted", { id: record.id, code: error.code });
    }
  }

  async #check(origin: BundleOrigin, record: SnapshotRecord | undefined, reading: ReadOptions): Promise<VerifyReport> {
    const inside = await this.#checkInside(origin, reading);
    const stored = await checkStored(origin, record, inside.fileSha256, reading);
    const checks = [...stored, ...inside.checks, ...checkRecord(record, inside.parsed)];
    return {
      bundle: origin.label,
      ok: checks.every((check) => isFine(check, reading)),
      checks,
      schemaVersions: inside.parsed?.manifest.schemaVersions ?? record?.schemaVersions ?? {},
      ageProtected:
        record?.encrypted ?? (inside.parsed?.manifest.encryption !== undefined || origin.fileName.endsWith(".age")),
    };
  }

  async #checkInside(
    origin: BundleOrigin,
    reading: ReadOptions,
  ): Promise<{ readonly checks: VerifyCheck[]; readonly parsed?: ParsedManifest; readonly fileSha256?: string }> {
    let parsed: ParsedManifest | undefined;
    const sink = {
      manifest: (found: ParsedManifest) => {
        parsed = found;
      },
    };
    let fileSha256: string;
    try {
      ({ fileSha256 } = await this.#reader.read(origin, sink, reading));
    } catch (error) {
      const failure = judgeFailure(error);
      // Nothing inside can be judged, for instance without a key. A key that does not fit and a header that was changed
      // look alike: that is no failed check either, but nothing to call ok.
      if (failure.status === "not_checked") return { checks: INSIDE.map((name) => ({ name, ...failure })) };
      return parsed === undefined ? { checks: unread(failure) } : { checks: broken(parsed, failure), parsed };
    }
    return parsed === undefined
      ? { checks: unread({ status: "failed", code: "E_MANIFEST", detail: "The bundle has no manifest." }), fileSha256 }
      : { checks: [...manifestChecks(parsed), { name: "artifacts", status: "ok" }], parsed, fileSha256 };
  }
}

/**
 * False of what leaves nothing to call ok. Without a key the inside of an encrypted bundle is not asked for; whoever gives
 * one asks for it, and then a key that cannot be used, or does not fit, is an answer.
 */
function isFine({ status, code }: VerifyCheck, { identityFiles }: Pick<ReadOptions, "identityFiles">): boolean {
  if (status === "failed") return false;
  return code === undefined || (code === "E_IDENTITY" && identityFiles.length === 0);
}

const INSIDE = ["manifest", "manifest_seal", "content_digest", "artifacts"] as const;

/** @param read the digest of the stored bytes, where they were read to their end already */
async function checkStored(
  origin: BundleOrigin,
  record: SnapshotRecord | undefined,
  read: string | undefined,
  { signal, onBytes }: ReadOptions,
): Promise<VerifyCheck[]> {
  const sha256 = read ?? (await digestOfStored(origin, { signal, onBytes }));
  const name = "file_digest";
  try {
    const recorded = await origin.recordedDigest(signal);
    if (recorded === undefined) {
      return [{ name, status: "failed", code: "E_INTEGRITY", detail: "There is no .sha256 beside the bundle." }];
    }
    const fits = recorded === sha256 && (record === undefined || record.fileSha256 === sha256);
    if (fits) return [{ name, status: "ok" }];
    return [{ name, status: "failed", code: "E_INTEGRITY", detail: `The bytes hash to ${sha256}.` }];
  } catch (error) {
    return [{ name, ...judgeFailure(error) }];
  }
}

async function digestOfStored(
  origin: BundleOrigin,
  { signal, onBytes }: Pick<ReadOptions, "signal" | "onBytes">,
): Promise<string> {
  const { sizeBytes, body } = await origin.open(signal);
  const { sha256 } = await digestOf(countedStream(body, (done) => onBytes?.(done, sizeBytes)));
  return sha256;
}

function manifestChecks({ manifest, wire }: ParsedManifest): VerifyCheck[] {
  const judge = (name: string, passed: boolean, detail: string): VerifyCheck =>
    passed ? { name, status: "ok" } : { name, status: "failed", code: "E_INTEGRITY", detail };
  return [
    { name: "manifest", status: "ok" },
    judge("manifest_seal", isSealIntact(wire), "A field of the manifest was changed."),
    judge(
      "content_digest",
      contentDigest(manifest.artifacts) === manifest.bundleSha256,
      "It does not fit the artifacts.",
    ),
  ];
}

function broken(parsed: ParsedManifest, failure: Judgement): VerifyCheck[] {
  return [...manifestChecks(parsed), { name: "artifacts", ...failure }];
}

function unread(failure: Judgement): VerifyCheck[] {
  const rest = INSIDE.slice(1).map((name) => ({
    name,
    status: "not_checked" as const,
    detail: "The manifest cannot be read.",
  }));
  return [{ name: "manifest", ...failure }, ...rest];
}

function checkRecord(record: SnapshotRecord | undefined, parsed: ParsedManifest | undefined): VerifyCheck[] {
  if (record === undefined) return [];
  const name = "record";
  if (parsed === undefined) return [{ name, status: "not_checked", detail: "The manifest was not read." }];
  const { manifest } = parsed;
  const fits =
    record.id === manifest.snapshotId &&
    record.agentId === manifest.agentId &&
    record.tenant === manifest.tenant &&
    record.manifestSeal === manifest.seal.digest &&
    record.bundleSha256 === manifest.bundleSha256 &&
    record.encrypted === (manifest.encryption !== undefined);
  if (fits) return [{ name, status: "ok" }];
  return [{ name, status: "failed", code: "E_RECORD", detail: "The record does not fit the manifest." }];
}

import { stat } from "node:fs/promises";
import { type AgentRef, composePolicies, fromSystemError, KeepsakeError, namePolicy, redactText } from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { uuidv7 } from "uuidv7";
import { agentRefOf, nobodyOf } from "../agent-ref.js";
import { AgentSession, type LockedOptions } from "../agent-session.js";
import { type BundleOrigin, originInFile } from "../bundle/bundle-origin.js";
import { BundleReader } from "../bundle/bundle-reader.js";
import { locateBundle } from "../bundle/locate-bundle.js";
import { stagedArtifactsOf } from "../bundle/rebuild-bundle.js";
import type { StagedArtifactFile } from "../bundle/staged-bundle.js";
import { checkPlace } from "../check-place.js";
import type { OperationOptions, ScanFinding, ScanReport, ScanRequest } from "../memory-snapshotter.js";
import { findSecrets } from "../redaction/find-secrets.js";
import type { FoundSecret } from "../redaction/found-secret.js";
import { policiesByMode } from "../redaction/policies-by-mode.js";
import { UnpackedBundle } from "../restore/unpacked-bundle.js";
import { PrivateStaging } from "../snapshot/private-staging.js";
import { SnapshotPipeline } from "../snapshot/snapshot-pipeline.js";
import { WORKSPACE } from "../tokens.js";
import type { AgentProfile, Workspace } from "../workspace.js";

type Interpreters = Pick<AgentProfile, "sources" | "redaction">;

/** Looks for secrets in a live memory, a bundle or a text, and changes nothing. */
@injectable()
export class ScanOperation {
  readonly #workspace: Workspace;
  readonly #session: AgentSession;
  readonly #reader: BundleReader;
  readonly #pipeline: SnapshotPipeline;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(AgentSession) session: AgentSession,
    @inject(BundleReader) reader: BundleReader,
    @inject(SnapshotPipeline) pipeline: SnapshotPipeline,
  ) {
    this.#workspace = workspace;
    this.#session = session;
    this.#reader = reader;
    this.#pipeline = pipeline;
  }

  async run(request: ScanRequest, options: OperationOptions): Promise<ScanReport> {
    const { tenant } = request;
    // A folder, a bundle or a text is nobody's: there are no snapshots then, and a lock and staging of its own.
    const ref = "agent" in request ? agentRefOf({ agent: request.agent, tenant }) : nobodyOf({ tenant });
    const { lock } = await this.#workspace.storeOf(ref);
    return this.#session.run(ref, lock.timeoutMs, options, async (_held, locked) => {
      await using staging = await PrivateStaging.make(this.#workspace.stateRoot, ref, uuidv7());
      const { artifacts, interpreters } = await this.#staged(request, ref, staging, locked);
      return await look(artifacts, interpreters, staging, locked);
    });
  }

  async #staged(
    request: ScanRequest,
    ref: AgentRef,
    staging: PrivateStaging,
    options: LockedOptions,
  ): Promise<{ readonly artifacts: readonly StagedArtifactFile[]; readonly interpreters: Interpreters }> {
    if ("textFile" in request) {
      return { artifacts: [await textFile(request.textFile)], interpreters: await this.#workspace.interpretersOf(ref) };
    }
    const origin = await this.#origin(request, ref, options);
    if (origin === undefined) {
      const profile = await this.#workspace.profile(ref, "memory" in request ? request.memory : undefined);
      await checkPlace(profile.paths.memory, this.#workspace.stateRoot);
      await checkFolder(profile.paths.memory, ref);
      const { sources, state } = await this.#pipeline.capture({ profile, allow: "best_effort" }, staging, options);
      return { artifacts: [...sources.flatMap((source) => source.artifacts), ...state], interpreters: profile };
    }
    const { limits } = await this.#workspace.storeOf(ref);
    const reading = { identityFiles: request.identityFiles ?? [], limits, signal: options.signal };
    const unpacked = await UnpackedBundle.unpack(this.#reader, origin, staging, reading);
    return { artifacts: stagedArtifactsOf(unpacked), interpreters: await this.#workspace.interpretersOf(ref) };
  }

  async #origin(request: ScanRequest, ref: AgentRef, options: LockedOptions): Promise<BundleOrigin | undefined> {
    if ("bundleFile" in request) return originInFile(request.bundleFile);
    if (!("ref" in request) || request.ref === undefined) return undefined;
    const { store } = await this.#workspace.storeOf(ref);
    return (await locateBundle(store, ref, request.ref, options)).origin;
  }
}

async function look(
  artifacts: readonly StagedArtifactFile[],
  { sources, redaction }: Interpreters,
  staging: PrivateStaging,
  { signal, onProgress }: LockedOptions,
): Promise<ScanReport> {
  onProgress?.({ phase: "scan", bytesDone: 0 });
  const policies = policiesByMode(await redaction.policies());
  const all = namePolicy(composePolicies(policies.map(({ policy }) => policy)));
  const shown = (path: string): string => redactText(path, all, { path: "manifest.json" }).text;
  const findings: ScanFinding[] = [];
  let unscanned: ScanReport["unscanned"] = [];
  for (const { mode, policy } of policies) {
    const found = await findSecrets(artifacts, sources, policy, staging, { signal, tracing: true });
    findings.push(...found.findings.map((one) => ({ ...shownPlace(one, shown), mode })));
    ({ unscanned } = found);
  }
  findings.sort((a, b) =>
    a.artifact === b.artifact ? (a.line ?? 0) - (b.line ?? 0) : a.artifact < b.artifact ? -1 : 1,
  );
  return {
    findings,
    unscanned: unscanned.map(({ path, reason }) => ({ path: shown(path), reason })),
    artifacts: artifacts.length,
  };
}

/** Names of files, tables, columns and refs may hold a secret themselves. */
function shownPlace(
  { times: _times, ...found }: FoundSecret,
  shown: (name: string) => string,
): Omit<FoundSecret, "times"> {
  const { artifact, column, ref } = found;
  return {
    ...found,
    artifact: shown(artifact),
    ...(column === undefined ? {} : { column: shown(column) }),
    ...(ref === undefined ? {} : { ref: shown(ref) }),
  };
}

/** One text, as if it were staged: it is only read. */
async function textFile(file: string): Promise<StagedArtifactFile> {
  const stats = await stat(file).catch((error: unknown) => {
    throw fromSystemError(error, `The file ${file} cannot be read`);
  });
  const meta = { pathInBundle: file, kind: "text", source: "text", type: "file" as const, mode: 0o600, mtimeMs: 0 };
  return { meta: { ...meta, sizeBytes: stats.size, sha256: "" }, file };
}

async function checkFolder(memory: string, { agent, tenant }: AgentRef): Promise<void> {
  const isThere = await stat(memory).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (isThere) return;
  throw new KeepsakeError("E_UNKNOWN_AGENT", `There is no memory directory ${memory}.`, {
    context: { agent, tenant, memory },
    hint: "Name the directory, or with --agent the agent of the configuration.",
  });
}

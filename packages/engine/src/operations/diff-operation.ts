import { parseSnapshotId } from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { uuidv7 } from "uuidv7";
import { agentRefOf } from "../agent-ref.js";
import { AgentSession, type LockedOptions } from "../agent-session.js";
import { BundleReader } from "../bundle/bundle-reader.js";
import { locateBundle } from "../bundle/locate-bundle.js";
import { diffSource } from "../diff/diff-source.js";
import { diffState } from "../diff/diff-state.js";
import type { DiffReport, DiffRequest, DiffSource, OperationOptions } from "../memory-snapshotter.js";
import { UnpackedBundle } from "../restore/unpacked-bundle.js";
import { PrivateStaging } from "../snapshot/private-staging.js";
import { STATE_FOLDER } from "../snapshot/stage-state.js";
import { WORKSPACE } from "../tokens.js";
import type { AgentProfile, Workspace } from "../workspace.js";

/** What a comparison needs of an agent: not its memory, which may be gone. */
type BundleProfile = Pick<AgentProfile, "ref" | "store" | "limits" | "lock" | "sources">;

/** Says what changed between two snapshots, in numbers. */
@injectable()
export class DiffOperation {
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

  async run(request: DiffRequest, options: OperationOptions): Promise<DiffReport> {
    const ref = agentRefOf(request);
    const profile = { ...(await this.#workspace.storeOf(ref)), ...(await this.#workspace.interpretersOf(ref)) };
    // The lock keeps both bundles from being deleted meanwhile, and the unpacked copies from being swept.
    return this.#session.run(ref, profile.lock.timeoutMs, options, (_lock, locked) =>
      this.#diff(request, profile, locked),
    );
  }

  async #diff(request: DiffRequest, profile: BundleProfile, options: LockedOptions): Promise<DiffReport> {
    await using staging = await PrivateStaging.make(this.#workspace.stateRoot, profile.ref, uuidv7());
    const before = await this.#unpack(request.from, request, profile, staging, options);
    const after = await this.#unpack(request.to, request, profile, staging, options);
    const sources: DiffSource[] = [];
    for (const id of [...new Set([...before.sourceIds, ...after.sourceIds])].sort()) {
      const { signal } = options;
      sources.push(await diffSource(id, before.reader(id), after.reader(id), profile.sources, { signal }));
    }
    if (before.hasState || after.hasState) {
      sources.push({ id: STATE_FOLDER, kind: STATE_FOLDER, ...diffState(await before.state(), await after.state()) });
    }
    return {
      a: parseSnapshotId(before.manifest.snapshotId),
      b: parseSnapshotId(after.manifest.snapshotId),
      sources: sources.filter(({ items }) => items.length > 0),
    };
  }

  async #unpack(
    reference: string,
    request: DiffRequest,
    profile: BundleProfile,
    staging: PrivateStaging,
    options: LockedOptions,
  ): Promise<UnpackedBundle> {
    const { signal } = options;
    const { origin } = await locateBundle(profile.store, profile.ref, reference, { signal });
    const identityFiles = request.identityFiles ?? [];
    const onBytes = (bytesDone: number, bytesTotal: number) =>
      options.onProgress?.({ phase: "unpack", bytesDone, bytesTotal });
    return UnpackedBundle.unpack(this.#reader, origin, staging, {
      identityFiles,
      limits: profile.limits,
      signal,
      onBytes,
    });
  }
}

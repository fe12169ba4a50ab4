import { stat } from "node:fs/promises";
import {
  type AgentRef,
  type Clock,
  type Codec,
  errnoOf,
  fromSystemError,
  KeepsakeError,
  type Lock,
  parseSnapshotId,
} from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { uuidv7 } from "uuidv7";
import { agentRefOf } from "../agent-ref.js";
import { checkPlace } from "../check-place.js";
import { AgentSession, type LockedOptions } from "../agent-session.js";
import type { OperationOptions, SnapshotRequest, SnapshotResult } from "../memory-snapshotter.js";
import { checkPrivateParts } from "../redaction/check-private.js";
import { StoredCheck } from "../restore/stored-check.js";
import { SnapshotPipeline } from "../snapshot/snapshot-pipeline.js";
import { ENGINE_CLOCK, WORKSPACE } from "../tokens.js";
import type { AgentProfile, Workspace } from "../workspace.js";

const MAX_LABEL = 256;

/** Takes a snapshot of an agent. */
@injectable()
export class SnapshotOperation {
  readonly #workspace: Workspace;
  readonly #session: AgentSession;
  readonly #pipeline: SnapshotPipeline;
  readonly #storedCheck: StoredCheck;
  readonly #clock: Clock;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(AgentSession) session: AgentSession,
    @inject(SnapshotPipeline) pipeline: SnapshotPipeline,
    @inject(StoredCheck) storedCheck: StoredCheck,
    @inject(ENGINE_CLOCK) clock: Clock,
  ) {
    this.#workspace = workspace;
    this.#session = session;
    this.#pipeline = pipeline;
    this.#storedCheck = storedCheck;
    this.#clock = clock;
  }

  async run(request: SnapshotRequest, options: OperationOptions): Promise<SnapshotResult> {
    const ref = agentRefOf(request);
    checkText("label", request.label);
    checkText("created_by", request.createdBy);
    const profile = await this.#workspace.profile(ref, request.memory);
    await checkPlace(profile.paths.memory, this.#workspace.stateRoot);
    await checkMemory(profile);
    const codecs = await this.#codecs(ref, request);
    const redact = request.redact ?? (request.requireClean === true || profile.redaction.byDefault);
    if (redact) checkPrivateParts(profile.sources, codecs);
    let taken: SnapshotResult | undefined;
    const work = async (lock: Lock, locked: LockedOptions): Promise<SnapshotResult> => {
      taken = await this.#pipeline.run(
        {
          id: parseSnapshotId(uuidv7()),
          profile,
          label: request.label,
          createdBy: request.createdBy ?? "keepsake",
          redact,
          ...(request.requireClean === undefined ? {} : { requireClean: request.requireClean }),
          full: request.full === true,
          skipUnchanged: request.skipUnchanged ?? profile.snapshot.skipUnchanged,
          codecs,
          allow: request.allowPartial === true ? "best_effort" : profile.cut.allow,
          assertHeld: () => lock.assertHeld(),
        },
        locked,
      );
      if (taken.unchanged === true) return taken;
      const record = await this.#storedCheck.run(profile, taken.record, profile.snapshot.verifyAfter, [], locked);
      return { ...taken, record };
    };
    try {
      return await this.#session.run(ref, profile.lock.timeoutMs, options, work);
    } finally {
      // Whatever is found when it is looked at, it exists.
      if (taken !== undefined && taken.unchanged !== true) await this.#announce(ref, taken);
    }
  }

  #codecs(ref: AgentRef, { recipients }: SnapshotRequest): Promise<readonly Codec[]> {
    return this.#workspace.encoders(ref, { recipients });
  }

  async #announce(ref: AgentRef, { record }: SnapshotResult): Promise<void> {
    await this.#session.publish({
      type: "lifecycle",
      kind: "created",
      agentId: ref.agent,
      tenant: ref.tenant,
      snapshotId: record.id,
      ...(record.label === undefined ? {} : { label: record.label }),
      atMs: this.#clock.now(),
    });
  }
}

/** @throws KeepsakeError `E_UNKNOWN_AGENT` when the memory directory is not there */
async function checkMemory({ ref, paths }: AgentProfile): Promise<void> {
  const stats = await stat(paths.memory).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw fromSystemError(error, `The memory directory ${paths.memory} cannot be read`);
  });
  if (stats?.isDirectory() === true) return;
  throw new KeepsakeError("E_UNKNOWN_AGENT", `The agent ${ref.agent} has no memory directory at ${paths.memory}.`, {
    context: { agent: ref.agent, tenant: ref.tenant, memory: paths.memory },
    hint: "Name the directory with --memory or agents.<agent>.memory in the configuration.",
  });
}

function checkText(what: string, value: string | undefined): void {
  if (value === undefined) return;
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (value.length <= MAX_LABEL && value.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(value)) return;
  throw new KeepsakeError("E_USAGE", `The ${what} must be at most ${String(MAX_LABEL)} printable characters.`, {
    context: { option: what },
  });
}

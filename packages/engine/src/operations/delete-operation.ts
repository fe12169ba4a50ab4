import { type AgentRef, type Clock, KeepsakeError, type SnapshotRecord } from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { agentRefOf } from "../agent-ref.js";
import { AgentSession } from "../agent-session.js";
import { SnapshotCatalog } from "../catalog/snapshot-catalog.js";
import { type Indispensable, isIndispensable } from "../catalog/indispensable.js";
import type { OperationOptions, SnapshotRefRequest } from "../memory-snapshotter.js";
import { ENGINE_CLOCK, WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";

/** Deletes one snapshot; never the last one, never the newest verified or proven one. */
@injectable()
export class DeleteOperation {
  readonly #workspace: Workspace;
  readonly #session: AgentSession;
  readonly #clock: Clock;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(AgentSession) session: AgentSession,
    @inject(ENGINE_CLOCK) clock: Clock,
  ) {
    this.#workspace = workspace;
    this.#session = session;
    this.#clock = clock;
  }

  async run(request: SnapshotRefRequest, options: OperationOptions): Promise<{ readonly deleted: string }> {
    const ref = agentRefOf(request);
    const { store, lock } = await this.#workspace.storeOf(ref);
    const catalog = new SnapshotCatalog(store);
    const record = await this.#session.run(ref, lock.timeoutMs, options, async (held, locked) => {
      const found = await catalog.resolve(ref, request.ref, locked);
      const { snapshots, missing } = await catalog.list(ref, locked);
      // Those whose bundle is not there are no reason to let go of the last that is whole.
      const lacks = ({ id }: { readonly id: string }) => missing.some((one) => one.id === id);
      refuseIndispensable(found, lacks(found) ? snapshots : snapshots.filter((one) => !lacks(one)));
      await held.assertHeld();
      await catalog.remove(found, locked);
      return found;
    });
    await this.#announce(ref, record);
    return { deleted: record.id };
  }

  async #announce(ref: AgentRef, record: SnapshotRecord): Promise<void> {
    const who = { agentId: ref.agent, tenant: ref.tenant, atMs: this.#clock.now() };
    await this.#session.publish({ type: "lifecycle", kind: "deleted", snapshotId: record.id, ...who });
  }
}

const REFUSALS = {
  last: { code: "E_LAST_SNAPSHOT", what: "last snapshot", hint: "Take and verify another snapshot first." },
  newest_verified: {
    code: "E_NEWEST_VERIFIED",
    what: "newest verified snapshot",
    hint: "Take and verify another snapshot first.",
  },
  newest_proven: {
    code: "E_NEWEST_VERIFIED",
    what: "newest snapshot that was proven restorable",
    hint: "Prove a newer one first, with `keepsake verify --deep`.",
  },
} as const satisfies Record<Indispensable, unknown>;

function refuseIndispensable(record: SnapshotRecord, all: readonly SnapshotRecord[]): void {
  const why = isIndispensable(record, all);
  if (why === undefined) return;
  const { code, what, hint } = REFUSALS[why];
  throw new KeepsakeError(code, `The snapshot ${record.id} is not deleted. It is the agent's ${what}.`, {
    context: { id: record.id },
    hint,
  });
}

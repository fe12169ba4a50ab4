import { type AgentRef, type Clock, eachAtOnce, KeepsakeError, parseAgentId, parseTenantId } from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { agentRefOf } from "../agent-ref.js";
import { AgentSession } from "../agent-session.js";
import { decideRetention, type RetentionDecision } from "../catalog/retention.js";
import { SnapshotCatalog } from "../catalog/snapshot-catalog.js";
import type { OperationOptions, PruneReport, PruneRequest, RetentionRules } from "../memory-snapshotter.js";
import { ENGINE_CLOCK, WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";
import { ListOperation } from "./list-operation.js";

/** Deletes what retention no longer keeps, the oldest first. */
@injectable()
export class PruneOperation {
  readonly #workspace: Workspace;
  readonly #session: AgentSession;
  readonly #lister: ListOperation;
  readonly #clock: Clock;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(AgentSession) session: AgentSession,
    @inject(ListOperation) lister: ListOperation,
    @inject(ENGINE_CLOCK) clock: Clock,
  ) {
    this.#workspace = workspace;
    this.#session = session;
    this.#lister = lister;
    this.#clock = clock;
  }

  async run(request: PruneRequest, options: OperationOptions): Promise<PruneReport> {
    checkRules(request.keep);
    const decisions: RetentionDecision[] = [];
    for (const ref of await this.#agents(request, options))
      decisions.push(...(await this.#prune(ref, request, options)));
    const ids = (keep: boolean) => decisions.filter((d) => d.keep === keep).map((d) => d.record.id);
    return {
      kept: ids(true),
      deleted: ids(false),
      reasons: Object.fromEntries(decisions.map((d) => [d.record.id, d.reason])),
    };
  }

  async #agents({ agent, tenant }: PruneRequest, options: OperationOptions): Promise<readonly AgentRef[]> {
    if (agent !== undefined) return [agentRefOf({ agent, tenant })];
    const { snapshots } = await this.#lister.run({ tenant }, options);
    const names = new Set(snapshots.map((record) => `${record.tenant}/${record.agentId}`));
    return [...names].map((name) => {
      const [tenantId = "", agentId = ""] = name.split("/");
      return { tenant: parseTenantId(tenantId), agent: parseAgentId(agentId) };
    });
  }

  async #prune(ref: AgentRef, request: PruneRequest, options: OperationOptions): Promise<readonly RetentionDecision[]> {
    const { store, lock, retention } = await this.#workspace.storeOf(ref);
    const catalog = new SnapshotCatalog(store);
    const decide = async (opts: OperationOptions) => {
      const { snapshots, missing } = await catalog.list(ref, opts);
      const rules = request.keep ?? retention;
      return decideRetention({ snapshots, missing: idsOf(missing), rules, nowMs: this.#clock.now() });
    };
    if (request.dryRun === true) return decide(options);
    return this.#session.run(ref, lock.timeoutMs, options, async (held, locked) => {
      const decisions = await decide(locked);
      // The oldest first, several at a time: each waits for the store, and is gone whole at one instant.
      await eachAtOnce(decisions.filter(({ keep }) => !keep).toReversed(), async ({ record }) => {
        await held.assertHeld();
        await catalog.remove(record, locked);
        const who = { agentId: ref.agent, tenant: ref.tenant, atMs: this.#clock.now() };
        await this.#session.publish({ type: "lifecycle", kind: "gc", snapshotId: record.id, ...who });
      });
      return decisions;
    });
  }
}

function idsOf(snapshots: readonly { readonly id: string }[]): ReadonlySet<string> {
  return new Set(snapshots.map(({ id }) => id));
}

function checkRules(rules: RetentionRules | undefined): void {
  for (const [rule, value] of Object.entries(rules ?? {}) as [string, number | undefined][]) {
    if (value === undefined || (Number.isFinite(value) && value >= 0)) continue;
    throw new KeepsakeError("E_USAGE", `The retention rule ${rule} must be a number of 0 or more.`, {
      context: { rule },
    });
  }
}

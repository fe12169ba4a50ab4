import { join } from "node:path";
import {
  type AgentRef,
  type BundleStore,
  type Clock,
  isKeepsakeError,
  type Logger,
  parseAgentId,
  parseTenantId,
} from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { agentRefOf } from "../agent-ref.js";
import { lockName } from "../layout.js";
import type { OperationOptions, RecoverReport, RecoverRequest } from "../memory-snapshotter.js";
import { RestoreRecovery } from "../restore/restore-recovery.js";
import { agentOfJournal } from "../restore/restore-journal.js";
import { namesIn } from "../snapshot/names-in.js";
import { PrivateStaging } from "../snapshot/private-staging.js";
import { ENGINE_CLOCK, ENGINE_LOGGER, WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";
import { ORPHAN_GRACE_MS, OrphanSweep } from "../catalog/orphan-sweep.js";

/** Finishes or undoes interrupted restores, and sweeps what crashes left. */
@injectable()
export class RecoverOperation {
  readonly #workspace: Workspace;
  readonly #recovery: RestoreRecovery;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(RestoreRecovery) recovery: RestoreRecovery,
    @inject(ENGINE_CLOCK) clock: Clock,
    @inject(ENGINE_LOGGER) logger: Logger,
  ) {
    this.#workspace = workspace;
    this.#recovery = recovery;
    this.#clock = clock;
    this.#logger = logger;
  }

  async run(request: RecoverRequest, options: OperationOptions): Promise<RecoverReport> {
    const { agent, tenant } = request;
    const restores: RecoverReport["restores"][number][] = [];
    const swept: string[] = [];
    const refs = agent === undefined ? await this.#agentsWithTraces() : [agentRefOf({ agent, tenant })];
    for (const ref of refs) {
      const { lock, store } = await this.#workspace.storeOf(ref);
      const timeoutMs = lock.timeoutMs;
      await using held = await this.#workspace.locks.acquire(lockName(ref), { timeoutMs, signal: options.signal });
      const recovered = await this.#recovery.recover(ref, { signal: held.signal });
      if (recovered !== undefined) restores.push(recovered);
      swept.push(...(await PrivateStaging.sweep(this.#workspace.stateRoot, ref)));
      const orphans = new OrphanSweep(store);
      swept.push(
        ...(await this.#unlessReadOnly(store, () => orphans.run(ref, this.#clock.now(), { signal: held.signal }))),
      );
    }
    for (const store of this.#workspace.stores) {
      const { signal } = options;
      swept.push(
        ...(await this.#unlessReadOnly(
          store,
          async () => (await store.sweep?.({ olderThanMs: ORPHAN_GRACE_MS, signal })) ?? [],
        )),
      );
    }
    return { restores, swept };
  }

  /** What lies in a store that is only read is for those who write to it; everything else is recovered all the same. */
  async #unlessReadOnly(store: BundleStore, sweep: () => Promise<readonly string[]>): Promise<readonly string[]> {
    try {
      return await sweep();
    } catch (error) {
      if (!isKeepsakeError(error, "E_READ_ONLY")) throw error;
      this.#logger.info("a store that is only read was not swept", { store: store.id });
      return [];
    }
  }

  /** Every agent that left a journal, staging, or objects in a store. */
  async #agentsWithTraces(): Promise<readonly AgentRef[]> {
    const names = new Set<string>();
    for (const kind of ["journals", "staging"]) {
      const root = join(this.#workspace.stateRoot, kind);
      for (const tenant of await namesIn(root)) {
        for (const agent of await namesIn(join(root, tenant))) names.add(`${tenant}/${agentOfJournal(agent)}`);
      }
    }
    for (const store of this.#workspace.stores) for await (const name of OrphanSweep.agentsOf(store)) names.add(name);
    return [...names].map((name) => {
      const [tenant = "", agent = ""] = name.split("/");
      return { tenant: parseTenantId(tenant), agent: parseAgentId(agent) };
    });
  }
}

import { join } from "node:path";
import {
  type AgentRef,
  type BundleStore,
  type Clock,
  isKeepsakeError,
  type Logger,
  NOBODY,
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
import { RecoverAttempts } from "./recover-attempts.js";
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

  /**
   * Goes on with the other agents and stores where one fails: what a crash left there is no reason to leave it elsewhere.
   *
   * @throws KeepsakeError what failed first, with all that was done and every failure in its context; the signal's reason
   */
  async run(request: RecoverRequest, options: OperationOptions): Promise<RecoverReport> {
    const { agent, tenant } = request;
    const { signal } = options;
    const attempts = new RecoverAttempts(signal);
    const refs = agent === undefined ? await this.#agentsWithTraces(attempts) : [agentRefOf({ agent, tenant })];
    for (const ref of refs) {
      await attempts.make({ tenant: ref.tenant, agent: ref.agent }, () => this.#recoverAgent(ref, attempts, signal));
    }
    for (const store of this.#workspace.stores) {
      await attempts.make({ store: store.id }, async () => {
        const sweep = async () => (await store.sweep?.({ olderThanMs: ORPHAN_GRACE_MS, signal })) ?? [];
        attempts.swept.push(...(await this.#unlessReadOnly(store, sweep)));
      });
    }
    return attempts.report();
  }

  async #recoverAgent(ref: AgentRef, attempts: RecoverAttempts, signal: AbortSignal | undefined): Promise<void> {
    const { lock, store } = await this.#workspace.storeOf(ref);
    const { timeoutMs } = lock;
    await using held = await this.#workspace.locks.acquire(lockName(ref), { timeoutMs, signal });
    const recovered = await this.#recovery.recover(ref, { signal: held.signal });
    if (recovered !== undefined) attempts.restores.push(recovered);
    attempts.swept.push(...(await PrivateStaging.sweep(this.#workspace.stateRoot, ref)));
    const orphans = new OrphanSweep(store);
    attempts.swept.push(
      ...(await this.#unlessReadOnly(store, () => orphans.run(ref, this.#clock.now(), { signal: held.signal }))),
    );
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
  async #agentsWithTraces(attempts: RecoverAttempts): Promise<readonly AgentRef[]> {
    const names = new Set<string>();
    for (const kind of ["journals", "staging"]) {
      const root = join(this.#workspace.stateRoot, kind);
      for (const tenant of await namesIn(root)) {
        for (const agent of await namesIn(join(root, tenant))) names.add(`${tenant}/${agentOfJournal(agent)}`);
      }
    }
    for (const store of this.#workspace.stores) {
      await attempts.make({ store: store.id }, async () => {
        for await (const name of OrphanSweep.agentsOf(store)) names.add(name);
      });
    }
    return [...names].map((name) => {
      const [tenant = "", agent = ""] = name.split("/");
      return { tenant: parseTenantId(tenant), agent: agent === NOBODY ? NOBODY : parseAgentId(agent) };
    });
  }
}

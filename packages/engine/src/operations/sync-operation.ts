import { type AgentRef, isKeepsakeError, parseAgentId, parseTenantId } from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { CopySnapshot, type SyncOutcome, type SyncSide } from "../catalog/copy-snapshot.js";
import { lockName, parseKey, TENANTS_PREFIX } from "../layout.js";
import type { OperationOptions, SyncReport, SyncRequest } from "../memory-snapshotter.js";
import { WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";

/** What was found so far. */
type Collected = { readonly [K in keyof SyncOutcome]: SyncOutcome[K][number][] };

type Names = ReadonlyMap<string, ReadonlySet<string>>;

/** Copies snapshots between two stores, both ways, and puts right in one what it has damaged and the other whole. */
@injectable()
export class SyncOperation {
  readonly #workspace: Workspace;

  constructor(@inject(WORKSPACE) workspace: Workspace) {
    this.#workspace = workspace;
  }

  async run(request: SyncRequest, options: OperationOptions): Promise<SyncReport> {
    const { stores, agent, tenant, dryRun = false, deep = false } = request;
    const report: Collected = { copied: [], repaired: [], deleted: [], differing: [] };
    const [left, right] = [await snapshotsOf(stores[0], options), await snapshotsOf(stores[1], options)];
    const agents = [...new Set([...left.keys(), ...right.keys()])].toSorted();
    for (const name of agents) {
      const [ofTenant = "", ofAgent = ""] = name.split("/");
      if ((tenant !== undefined && tenant !== ofTenant) || (agent !== undefined && agent !== ofAgent)) continue;
      const ref: AgentRef = { tenant: parseTenantId(ofTenant), agent: parseAgentId(ofAgent) };
      const ids = new Set([...(left.get(name) ?? []), ...(right.get(name) ?? [])]);
      await this.#syncAgent(ref, [...ids].toSorted(), new CopySnapshot(ref, stores, { dryRun, deep }), report, options);
    }
    return { ...report, dryRun };
  }

  /** Under the agent's lock: a snapshot that is deleted meanwhile would come back. */
  async #syncAgent(
    ref: AgentRef,
    ids: readonly string[],
    copy: CopySnapshot,
    report: Collected,
    { signal }: OperationOptions,
  ): Promise<void> {
    const { lock } = await this.#workspace.storeOf(ref);
    await using held = await this.#workspace.locks.acquire(lockName(ref), { timeoutMs: lock.timeoutMs, signal });
    const stop = signal === undefined ? held.signal : AbortSignal.any([signal, held.signal]);
    for (const id of ids) {
      stop.throwIfAborted();
      const { copied, repaired, deleted, differing } = await copy.run(id, stop);
      report.copied.push(...copied);
      report.repaired.push(...repaired);
      report.deleted.push(...deleted);
      report.differing.push(...differing);
    }
  }
}

/** The ids of the snapshots that have a record, by "<tenant>/<agent>". */
async function snapshotsOf({ store }: SyncSide, { signal }: OperationOptions): Promise<Names> {
  const found = new Map<string, Set<string>>();
  for await (const { key } of store.list(TENANTS_PREFIX, { signal })) {
    const parts = parseKey(key);
    if (parts?.part !== "record") continue;
    const name = `${parts.tenant}/${parts.agent}`;
    if (!isAgentName(parts.tenant, parts.agent)) continue;
    const ids = found.get(name) ?? new Set<string>();
    found.set(name, ids.add(parts.id));
  }
  return found;
}

/** What a stranger put there is not ours to copy. */
function isAgentName(tenant: string, agent: string): boolean {
  try {
    return parseTenantId(tenant) === tenant && parseAgentId(agent) === agent;
  } catch (error) {
    if (isKeepsakeError(error)) return false;
    throw error;
  }
}

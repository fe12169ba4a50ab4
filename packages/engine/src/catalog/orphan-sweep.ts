import type { AgentRef, BundleStore, OpOptions } from "@keepsake/core";
import { agentPrefix, type KeyParts, parseKey, TENANTS_PREFIX } from "../layout.js";

/** A body or digest whose snapshot has no record: an upload that a crash left. */
export interface Orphan {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  readonly parts: KeyParts;
}

/** Finds and removes bodies without a record. */
export class OrphanSweep {
  readonly #store: BundleStore;

  constructor(store: BundleStore) {
    this.#store = store;
  }

  /** "<tenant>/<agent>" of every agent that has objects in a store. */
  static async *agentsOf(store: BundleStore): AsyncGenerator<string> {
    for await (const { key } of store.list(TENANTS_PREFIX)) {
      const parts = parseKey(key);
      if (parts !== undefined) yield `${parts.tenant}/${parts.agent}`;
    }
  }

  /** What has no record, of one agent or of all. */
  async find(ref: AgentRef | undefined, options: OpOptions): Promise<readonly Orphan[]> {
    const orphans: Orphan[] = [];
    const recorded = new Set<string>();
    const nameOf = ({ tenant, agent, id }: KeyParts) => `${tenant}/${agent}/${id}`;
    for await (const { key, sizeBytes, modifiedAtMs } of this.#store.list(
      ref === undefined ? TENANTS_PREFIX : agentPrefix(ref),
      options,
    )) {
      const parts = parseKey(key);
      if (parts === undefined) continue;
      if (parts.part === "record") recorded.add(nameOf(parts));
      else orphans.push({ key, sizeBytes, modifiedAtMs, parts });
    }
    return orphans.filter(({ parts }) => !recorded.has(nameOf(parts)));
  }

  /**
   * Removes one agent's orphans that are older than the grace period; younger ones can still be given a record again
   * (`doctor --reindex`). The caller holds the agent's lock, so no upload of this agent is in flight.
   */
  async run(ref: AgentRef, nowMs: number, options: OpOptions): Promise<readonly string[]> {
    const orphans = (await this.find(ref, options)).filter(
      ({ modifiedAtMs }) => nowMs - modifiedAtMs > ORPHAN_GRACE_MS,
    );
    for (const { key } of orphans) await this.#store.delete(key, options);
    return orphans.map(({ key }) => key);
  }
}

/** How long a body without a record stays before a sweep removes it. */
export const ORPHAN_GRACE_MS = 24 * 3_600_000;

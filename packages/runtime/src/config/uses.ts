import type { JsonObject, ProviderKind } from "@keepsake/core";
import type { PluginRegistry } from "../plugins/registry.js";
import { agentSettings } from "./layers.js";
import type { ResolvedConfig, UseEntry } from "./schema.js";

/** A provider that the configuration names, and what as. */
export interface ConfiguredUse {
  readonly kind: ProviderKind;
  readonly use: string;
  /** `id`, `mode`; `agent` where it is not for all */
  readonly facts: JsonObject;
}

/** What of the sources, state providers, policies, publishers and locks is in use: by the configuration, nothing is made. */
export function usesIn(config: ResolvedConfig, registry: PluginRegistry): readonly ConfiguredUse[] {
  const { redaction, events, lock, agents } = config;
  const inScope = (agent: string, facts: JsonObject): readonly ConfiguredUse[] => {
    const settings = agentSettings(config, registry, agent);
    return [
      ...settings.sources.map((entry) => useOf("source", entry, facts)),
      ...settings.state.map((entry) => useOf("state", entry, facts)),
    ];
  };
  const ofAll = inScope("", {});
  const inherited = new Set(ofAll.map(nameOf));
  const own = Object.keys(agents).flatMap((agent) =>
    agent === "*" ? [] : inScope(agent, { agent }).filter((one) => !inherited.has(nameOf(one))),
  );
  const policies = redaction.policies.map((entry): ConfiguredUse => {
    const { use, mode = redaction.mode } = typeof entry === "string" ? { use: entry } : entry;
    return { kind: "redaction", use, facts: { mode } };
  });
  const publishers = events.publishers.map((entry) => useOf("events", entry, {}));
  return [
    ...ofAll,
    ...own,
    ...policies,
    ...publishers,
    { kind: "lock", use: lock.use, facts: { timeout_secs: lock.timeout_secs } },
  ];
}

function useOf(kind: ProviderKind, { use, id }: UseEntry, facts: JsonObject): ConfiguredUse {
  return { kind, use, facts: { id: id ?? use, ...facts } };
}

function nameOf({ kind, use, facts }: ConfiguredUse): string {
  return JSON.stringify([kind, use, facts["id"]]);
}

import type { Preset } from "@keepsake/core";
import type { PluginRegistry } from "../plugins/registry.js";
import type { AgentEntry, ResolvedConfig, UseEntry } from "./schema.js";

/** What the configuration says of one agent: its own entry over the template `"*"` over the top level. */
export interface AgentSettings {
  /** as written: relative, with `~` and placeholders; undefined when nothing says where the memory is */
  readonly memory: string | undefined;
  readonly sources: readonly UseEntry[];
  readonly state: readonly UseEntry[];
  readonly codecs: readonly UseEntry[];
  readonly stores: Readonly<Record<string, UseEntry>>;
}

type Layer = Pick<AgentEntry, "preset" | "sources" | "state">;

/**
 * On each layer `sources` stand instead of the preset's, and `state` instead of the preset's; the first layer that says
 * anything of them decides.
 */
export function agentSettings(config: ResolvedConfig, registry: PluginRegistry, agent: string): AgentSettings {
  const own = entryOf(config, agent);
  const template = entryOf(config, "*");
  const layers: readonly Layer[] = [own, template, config];
  const presetOf = (layer: Layer): Preset | undefined =>
    layer.preset === undefined ? undefined : registry.preset(layer.preset);
  const presets = layers.map(presetOf);
  return {
    memory: own.memory ?? template.memory ?? presets.find((preset) => preset !== undefined)?.memory,
    sources: first(layers, (layer) => layer.sources ?? (presetOf(layer)?.sources as readonly UseEntry[] | undefined)),
    state: first(layers, (layer) => layer.state ?? (presetOf(layer)?.state as readonly UseEntry[] | undefined)),
    codecs: own.codecs ?? template.codecs ?? config.codecs,
    stores: { ...config.stores, ...template.stores, ...own.stores },
  };
}

/** `constructor` is a valid agent name: only own keys count. */
function entryOf(config: ResolvedConfig, agent: string): AgentEntry {
  return (Object.hasOwn(config.agents, agent) ? config.agents[agent] : undefined) ?? {};
}

function first(
  layers: readonly Layer[],
  entries: (layer: Layer) => readonly UseEntry[] | undefined,
): readonly UseEntry[] {
  for (const layer of layers) {
    const found = entries(layer);
    if (found) return found;
  }
  return [];
}

import type { JsonObject } from "../json.js";
import type { AnyProvider } from "./provider.js";

/** The plugin API this package describes. */
export const PLUGIN_API = 1;

/** A named piece of configuration: which sources and state providers a kind of agent has. */
export interface Preset {
  readonly description: string;
  /** entries as in the configuration's `sources` */
  readonly sources: readonly JsonObject[];
  /** entries as in the configuration's `state` */
  readonly state?: readonly JsonObject[];
  /** where the memory is when nothing else says so; may hold `{agent}`, `{tenant}` and a leading `~` */
  readonly memory?: string;
}

/** A plugin: plain data. */
export interface Plugin {
  /** unique among the loaded plugins */
  readonly name: string;
  readonly api: number;
  readonly version?: string;
  readonly providers?: readonly AnyProvider[];
  readonly presets?: Readonly<Record<string, Preset>>;
}

/** Gives a plugin its type; does nothing else. The export `default` of a plugin module. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin;
}

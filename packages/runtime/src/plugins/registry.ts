import { type AnyProvider, KeepsakeError, type Plugin, type Preset, type ProviderKind } from "@keepsake/core";

/** A plugin and where it came from. */
export interface PluginSource {
  readonly plugin: Plugin;
  /** "program" when it was handed over, else the file it was imported from */
  readonly origin: string;
  readonly version?: string | undefined;
}

/** A provider and whose it is. */
export interface RegisteredProvider {
  readonly provider: AnyProvider;
  readonly plugin: string;
}

/** What the loaded plugins offer, by kind and name. */
export class PluginRegistry {
  readonly plugins: readonly PluginSource[];
  readonly #providers = new Map<string, RegisteredProvider>();
  readonly #presets = new Map<string, { readonly preset: Preset; readonly plugin: string }>();

  /** @throws KeepsakeError `E_PLUGIN_DUPLICATE` when two plugins have one name, or offer something of one name */
  constructor(plugins: readonly PluginSource[]) {
    this.plugins = plugins;
    const origins = new Map<string, string>();
    for (const { plugin, origin } of plugins) {
      const other = origins.get(plugin.name);
      if (other !== undefined) throw twice(`The plugin ${plugin.name}`, other, origin);
      origins.set(plugin.name, origin);
      this.#add(plugin);
    }
  }

  #add(plugin: Plugin): void {
    for (const provider of plugin.providers ?? []) {
      const key = `${provider.kind} ${provider.name}`;
      const other = this.#providers.get(key);
      if (other) throw twice(`The ${provider.kind} provider ${provider.name}`, other.plugin, plugin.name);
      this.#providers.set(key, { provider, plugin: plugin.name });
    }
    for (const [name, preset] of Object.entries(plugin.presets ?? {})) {
      const other = this.#presets.get(name);
      if (other) throw twice(`The preset ${name}`, other.plugin, plugin.name);
      this.#presets.set(name, { preset, plugin: plugin.name });
    }
  }

  find(kind: ProviderKind, name: string): RegisteredProvider | undefined {
    return this.#providers.get(`${kind} ${name}`);
  }

  all(kind?: ProviderKind): readonly RegisteredProvider[] {
    return [...this.#providers.values()].filter(({ provider }) => kind === undefined || provider.kind === kind);
  }

  names(kind: ProviderKind): readonly string[] {
    return this.all(kind).map(({ provider }) => provider.name);
  }

  preset(name: string): Preset | undefined {
    return this.#presets.get(name)?.preset;
  }

  presetNames(): readonly string[] {
    return [...this.#presets.keys()];
  }
}

function twice(what: string, first: string, second: string): KeepsakeError {
  return new KeepsakeError("E_PLUGIN_DUPLICATE", `${what} is there twice: from ${first} and from ${second}.`, {
    context: { first, second },
    hint: "Load only one of them.",
  });
}

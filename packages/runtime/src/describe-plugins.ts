import type { AnyProvider, JsonObject } from "@keepsake/core";
import type { LoadedConfig } from "./config/load-config.js";
import { usesIn } from "./config/uses.js";
import type { LoadedPlugin } from "./keepsake.js";
import type { ConfiguredWorkspace } from "./workspace/configured-workspace.js";

/** What is loaded and from where, and what is in use; of stores and codecs also what they say of themselves. */
export async function describePlugins(
  { config, registry }: Pick<LoadedConfig, "config" | "registry">,
  workspace: ConfiguredWorkspace,
): Promise<readonly LoadedPlugin[]> {
  const codecs = await workspace.codecs.configured();
  const uses = usesIn(config, registry);
  const instancesOf = ({ kind, name }: AnyProvider): readonly JsonObject[] => {
    if (kind === "codec") {
      return codecs
        .filter(({ use }) => use === name)
        .map(({ codec }) => ({
          id: codec.id,
          suffix: codec.suffix,
          encrypts: codec.encrypts ?? false,
          ...(codec.describe ? { describe: codec.describe() } : {}),
        }));
    }
    if (kind !== "store") {
      return uses.filter((one) => one.kind === kind && one.use === name).map(({ facts }) => facts);
    }
    return workspace.namedStores
      .filter(({ use }) => use === name)
      .map(({ name: id, store }) => ({
        id,
        where: store.describe(),
        capabilities: { ...store.capabilities },
      }));
  };
  return registry.plugins.map(({ plugin, origin, version }) => ({
    name: plugin.name,
    version,
    api: plugin.api,
    origin,
    providers: (plugin.providers ?? []).map((provider) => ({
      kind: provider.kind,
      name: provider.name,
      instances: instancesOf(provider),
    })),
    presets: Object.entries(plugin.presets ?? {}).map(([name, { description }]) => ({ name, description })),
  }));
}

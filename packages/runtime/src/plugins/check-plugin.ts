import { KeepsakeError, type Plugin, PLUGIN_API } from "@keepsake/core";

const KINDS = new Set(["source", "codec", "store", "lock", "redaction", "state", "events", "service"]);

/**
 * Tells whether a value from outside is a plugin this program can use.
 *
 * @param from what it was loaded as, for the message
 * @throws KeepsakeError `E_PLUGIN_LOAD` when it is no plugin, `E_PLUGIN_API` when it is one for another API
 */
export function checkPlugin(value: unknown, from: string): Plugin {
  const problem = pluginProblem(value);
  if (problem !== undefined) {
    throw new KeepsakeError("E_PLUGIN_LOAD", `What was loaded as ${from} is not a plugin: ${problem}.`, {
      context: { plugin: from },
      hint: "A plugin module ends with `export default definePlugin({ name, api, providers })`.",
    });
  }
  const plugin = value as Plugin;
  if (plugin.api === PLUGIN_API) return plugin;
  const found = plugin.api;
  throw new KeepsakeError(
    "E_PLUGIN_API",
    `The plugin ${plugin.name} is written for plugin API ${found}; this program has API ${PLUGIN_API}.`,
    {
      context: { plugin: plugin.name, found, supported: PLUGIN_API },
      hint: found > PLUGIN_API ? "Update Keepsake." : "Update the plugin.",
    },
  );
}

function pluginProblem(value: unknown): string | undefined {
  if (!isRecord(value)) return `its default export is ${value === undefined ? "missing" : "no object"}`;
  if (typeof value["name"] !== "string" || value["name"] === "") return "it has no name";
  if (value["api"] === undefined) return "it does not say its `api`";
  if (typeof value["api"] !== "number") return "its `api` is no number";
  // What another API's plugin holds is not for this program to judge.
  if (value["api"] !== PLUGIN_API) return undefined;
  const { providers = [], presets = {} } = value;
  if (!Array.isArray(providers)) return "its `providers` are no list";
  for (const [index, provider] of providers.entries()) {
    const problem = providerProblem(provider);
    if (problem !== undefined) return `its providers[${index}] ${problem}`;
  }
  if (!isRecord(presets)) return "its `presets` are no object";
  for (const [name, preset] of Object.entries(presets)) {
    const ok = isRecord(preset) && typeof preset["description"] === "string" && areEntries(preset["sources"]);
    if (!ok || !areEntries(preset["state"] ?? []))
      return `its preset ${JSON.stringify(name)} lacks a description or has malformed entries`;
  }
  return undefined;
}

function providerProblem(value: unknown): string | undefined {
  if (!isRecord(value)) return "is no object";
  if (!KINDS.has(String(value["kind"]))) return `is of the unknown kind ${JSON.stringify(value["kind"])}`;
  if (typeof value["name"] !== "string" || value["name"] === "") return "has no name";
  if (typeof value["create"] !== "function") return "has no `create` function";
  const { kind, options, needs = [] } = value;
  if (options !== undefined && !isStandardSchema(options)) return "has `options` that are no Standard Schema";
  // Services are put in order before any options are known.
  if (typeof needs === "function") return kind === "service" ? "is a service whose `needs` are no list" : undefined;
  const areTokens = Array.isArray(needs) && needs.every((need) => isRecord(need) && typeof need["key"] === "string");
  return areTokens ? undefined : "has `needs` that are no tokens";
}

/** ArkType schemas are functions. */
function isStandardSchema(value: unknown): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as { readonly "~standard"?: unknown })["~standard"];
  return isRecord(standard) && typeof standard["validate"] === "function";
}

function areEntries(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => isRecord(entry) && typeof entry["use"] === "string");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

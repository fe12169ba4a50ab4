/** What `plugin create` has a template for. */
export const PLUGIN_KINDS = ["store", "codec", "source", "redaction", "state", "lock"] as const;

export type PluginKind = (typeof PLUGIN_KINDS)[number];

export function isPluginKind(value: string): value is PluginKind {
  return PLUGIN_KINDS.some((kind) => kind === value);
}

import { KeepsakeError, type ProviderKind } from "@keepsake/core";
import type { PluginPart } from "./plugin-call.js";

type MemberType = "function" | "string" | "object";

/** What the ports ask of each kind of part; optional members are not looked at. */
const REQUIRED: Readonly<Record<ProviderKind, Readonly<Record<string, MemberType>>>> = {
  source: { id: "string", kind: "string", open: "function" },
  redaction: { id: "string", rules: "object", scan: "function" },
  codec: { id: "string", suffix: "string", encode: "function", decode: "function" },
  store: {
    id: "string",
    capabilities: "object",
    describe: "function",
    put: "function",
    get: "function",
    head: "function",
    list: "function",
    delete: "function",
  },
  lock: { acquire: "function" },
  state: { id: "string", keys: "object", capture: "function" },
  events: { id: "string", publish: "function" },
  service: {},
};

/**
 * Refuses a part that lacks what its port asks for, before anything calls it.
 *
 * @throws KeepsakeError `E_PLUGIN_FAILED` with every missing member in its context
 */
export function checkPart(part: unknown, kind: ProviderKind, who: PluginPart): void {
  const members = Object.entries(REQUIRED[kind]);
  const missing = members.filter(([name, type]) => !has(part, name, type)).map(([name, type]) => `${name} (${type})`);
  if (missing.length === 0) return;
  throw new KeepsakeError(
    "E_PLUGIN_FAILED",
    `What the ${who.part} of plugin ${who.plugin} made lacks: ${missing.join(", ")}.`,
    {
      context: { plugin: who.plugin, part: who.part, missing },
    },
  );
}

function has(part: unknown, name: string, type: MemberType): boolean {
  if ((typeof part !== "object" && typeof part !== "function") || part === null) return false;
  const member: unknown = Reflect.get(part, name);
  return typeof member === type && member !== null;
}

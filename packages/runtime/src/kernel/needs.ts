import { type AnyProvider, storeNameOf, type Token } from "@keepsake/core";
import type { RegisteredProvider } from "../plugins/registry.js";
import { checkOptions } from "./check-options.js";
import { callPlugin } from "./plugin-call.js";

type TokenList = readonly Token<unknown>[];

/** What a provider needs in every case, by key. The stores a store is made of are another matter: who makes it knows them. */
export function fixedNeeds({ kind, needs = [] }: AnyProvider): readonly string[] {
  if (typeof needs === "function") return [];
  return needs.filter((need) => kind !== "store" || storeNameOf(need) === undefined).map(({ key }) => key);
}

/** What a provider needs with these options, which its schema has completed. */
export function needsOf(provider: AnyProvider, options: unknown): TokenList {
  const { needs = [] } = provider;
  // Its method, so that it has its `this`.
  return typeof needs === "function" ? (needs as (options: unknown) => TokenList).call(provider, options) : needs;
}

/**
 * The names of the stores that a store is made of, each once.
 *
 * @param options as configured; when its schema refuses them, they name none: they are wrong in another way
 * @throws KeepsakeError `E_PLUGIN_FAILED`, `E_PLUGIN_TIMEOUT`, or what the plugin threw
 */
export async function storesNeeded(
  { provider, plugin }: RegisteredProvider,
  options: Readonly<Record<string, unknown>>,
  timeoutMs: number,
): Promise<readonly string[]> {
  const part = { plugin, part: `needs of ${provider.kind} provider ${provider.name}` };
  return callPlugin(part, timeoutMs, async () => {
    const checked = await checkOptions(provider, options);
    return checked.problems ? [] : storeNamesIn(needsOf(provider, checked.value));
  });
}

/**
 * The same for options that may be wrong, so that a store which is not there is told together with what else is wrong: what
 * the schema refuses is left out, and the rest is taken as it is written.
 */
export async function storesNamed(
  found: RegisteredProvider,
  options: Readonly<Record<string, unknown>>,
  timeoutMs: number,
): Promise<readonly string[]> {
  const { provider, plugin } = found;
  const part = { plugin, part: `needs of ${provider.kind} provider ${provider.name}` };
  return callPlugin(part, timeoutMs, async () => {
    const checked = await checkOptions(provider, options);
    if (!checked.problems) return storeNamesIn(needsOf(provider, checked.value));
    const wrong = new Set(checked.problems.map(({ path }) => String(path[0])));
    const rest = Object.fromEntries(Object.entries(options).filter(([key]) => !wrong.has(key)));
    try {
      // What is made of something that is missing names nothing that is written.
      return storeNamesIn(needsOf(provider, rest)).filter((name) => holds(rest, name));
    } catch {
      // It was promised options that are in order.
      return [];
    }
  });
}

function storeNamesIn(tokens: TokenList): readonly string[] {
  return [...new Set(tokens.map(storeNameOf).filter((name) => name !== undefined))];
}

function holds(value: unknown, name: string): boolean {
  if (typeof value !== "object" || value === null) return value === name;
  return Object.values(value).some((item) => holds(item, name));
}

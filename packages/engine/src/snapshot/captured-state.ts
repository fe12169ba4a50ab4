import {
  canonicalJson,
  KeepsakeError,
  type OpOptions,
  type StateItem,
  type StateProvider,
  type StateTarget,
} from "@keepsake/core";

const STATE_KEY = /^[a-z0-9_-]{1,64}$/;

/** The values of all providers, by ascending key. */
export async function captureState(
  providers: readonly StateProvider[],
  target: StateTarget,
  options: OpOptions,
): Promise<readonly StateItem[]> {
  const items = new Map<string, StateItem>();
  for (const provider of providers) {
    for await (const item of provider.capture(target, options)) {
      if (!STATE_KEY.test(item.key)) throw badKey(provider, `the malformed key ${JSON.stringify(item.key)}`);
      if (items.has(item.key)) throw badKey(provider, `the key ${item.key}, which another one brings too`);
      items.set(item.key, item);
    }
  }
  return [...items.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Equal for equal values. */
export function stateFingerprint(items: readonly StateItem[]): string {
  return canonicalJson(items.map(({ key, value }) => [key, value]));
}

function badKey(provider: StateProvider, what: string): KeepsakeError {
  return new KeepsakeError("E_PLUGIN_FAILED", `The state provider ${provider.id} brought ${what}.`, {
    context: { provider: provider.id },
  });
}

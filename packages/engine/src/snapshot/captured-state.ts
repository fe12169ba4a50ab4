import {
  canonicalJson,
  KeepsakeError,
  type OpOptions,
  type StateItem,
  type StateOmission,
  type StateProvider,
  type StateTarget,
} from "@keepsake/core";

const STATE_KEY = /^[a-z0-9_-]{1,64}$/;

/** What all providers have, each list by ascending key. */
export interface CapturedState {
  readonly items: readonly StateItem[];
  readonly omitted: readonly StateOmission[];
}

/** The values of all providers, and those that are there and cannot be captured. */
export async function captureState(
  providers: readonly StateProvider[],
  target: StateTarget,
  options: OpOptions,
): Promise<CapturedState> {
  const found = new Map<string, StateItem | StateOmission>();
  for (const provider of providers) {
    for await (const item of provider.capture(target, options)) {
      if (!STATE_KEY.test(item.key)) throw badKey(provider, `the malformed key ${JSON.stringify(item.key)}`);
      if (found.has(item.key)) throw badKey(provider, `the key ${item.key}, which another one brings too`);
      found.set(item.key, item);
    }
  }
  const sorted = [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    items: sorted.filter((one): one is StateItem => !("omitted" in one)),
    omitted: sorted.filter((one): one is StateOmission => "omitted" in one),
  };
}

/** Equal for equal values. */
export function stateFingerprint({ items, omitted }: CapturedState): string {
  const missing = omitted.map(({ key, omitted: { reason } }) => [key, reason]);
  return canonicalJson([items.map(({ key, value }) => [key, value]), missing]);
}

function badKey(provider: StateProvider, what: string): KeepsakeError {
  return new KeepsakeError("E_PLUGIN_FAILED", `The state provider ${provider.id} brought ${what}.`, {
    context: { provider: provider.id },
  });
}

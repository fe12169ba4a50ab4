import { KeepsakeError, type OpOptions, type StateItem } from "@keepsake/core";
import { captureState } from "../snapshot/captured-state.js";
import type { AgentProfile } from "../workspace.js";

/**
 * Gives every state provider its values; a key of a provider that is not among the items is cleared. Idempotent.
 *
 * @param keys only these are set or cleared; all others keep the value they have; undefined: every key
 * @throws KeepsakeError `E_UNSUPPORTED` when a value belongs to no provider that can restore
 */
export async function replayState(
  profile: AgentProfile,
  items: readonly StateItem[],
  keys: readonly string[] | undefined,
  options: OpOptions,
): Promise<void> {
  checkState(profile, items);
  const target = { agent: profile.ref, paths: profile.paths };
  for (const provider of profile.state) {
    if (keys !== undefined && !provider.keys.some((key) => keys.includes(key))) continue;
    const own = items.filter((item) => provider.keys.includes(item.key));
    // A provider clears what it is not given: what is to stay as it is goes through it as well.
    const staying = keys === undefined ? [] : await captureState([provider], target, options);
    const kept = staying.filter(({ key }) => keys?.includes(key) === false);
    await provider.restore?.(target, [...own, ...kept], options);
  }
}

/** @throws KeepsakeError `E_UNSUPPORTED` */
export function checkState(profile: AgentProfile, items: readonly StateItem[]): void {
  for (const { key } of items) {
    const owner = profile.state.find((provider) => provider.keys.includes(key));
    if (owner?.restore !== undefined) continue;
    throw new KeepsakeError("E_UNSUPPORTED", `No configured state provider restores the key ${key}.`, {
      context: { key },
      hint: "Configure a state provider for it.",
    });
  }
}

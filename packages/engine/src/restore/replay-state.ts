import { KeepsakeError, type OpOptions, type StateItem } from "@keepsake/core";
import type { AgentProfile } from "../workspace.js";

/**
 * Gives every state provider its values; a key of a provider that is not among the items is cleared. Idempotent.
 *
 * @throws KeepsakeError `E_UNSUPPORTED` when a value belongs to no provider that can restore
 */
export async function replayState(
  profile: AgentProfile,
  items: readonly StateItem[],
  options: OpOptions,
): Promise<void> {
  checkState(profile, items);
  const target = { agent: profile.ref, paths: profile.paths };
  for (const provider of profile.state) {
    const own = items.filter((item) => provider.keys.includes(item.key));
    await provider.restore?.(target, own, options);
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

import { KeepsakeError, type OpOptions, type StateItem } from "@keepsake/core";
import type { AgentProfile } from "../workspace.js";
import type { StatePlan } from "./restore-journal.js";

/**
 * Gives every state provider the values of one end of a plan; a key that is restored and has none is cleared. Idempotent.
 *
 * @throws KeepsakeError `E_UNSUPPORTED` when a value belongs to no provider that can restore
 */
export async function replayState(
  profile: AgentProfile,
  plan: StatePlan,
  end: "to" | "before",
  options: OpOptions,
): Promise<void> {
  const items = plan[end];
  const { unread = [] } = plan;
  const isRestored = (key: string): boolean =>
    plan.keys?.includes(key) !== false && !(end === "before" && unread.includes(key));
  checkState(profile, items);
  const target = { agent: profile.ref, paths: profile.paths };
  for (const provider of profile.state) {
    if (!provider.keys.some(isRestored)) continue;
    const own = items.filter((item) => provider.keys.includes(item.key));
    const keep = provider.keys.filter((key) => !isRestored(key));
    await provider.restore?.(target, own, { ...options, keep });
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

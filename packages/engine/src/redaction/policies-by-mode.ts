import type { RedactionPolicy } from "@keepsake/core";
import type { RedactionPolicies } from "../workspace.js";

/** A policy, and what is done with what it finds. */
export interface PolicyOfMode {
  readonly mode: "redact" | "block" | "warn";
  readonly policy: RedactionPolicy;
}

/** All that are configured. */
export function policiesByMode({ policy, block, warn }: RedactionPolicies): readonly PolicyOfMode[] {
  return [
    ...(policy.rules.length === 0 ? [] : [{ mode: "redact" as const, policy }]),
    ...(block === undefined ? [] : [{ mode: "block" as const, policy: block }]),
    ...(warn === undefined ? [] : [{ mode: "warn" as const, policy: warn }]),
  ];
}

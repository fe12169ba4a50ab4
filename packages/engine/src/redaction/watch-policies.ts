import {
  KeepsakeError,
  namePolicy,
  type OpOptions,
  type RedactionPolicy,
  type RedactionReport,
  redactText,
} from "@keepsake/core";
import { findSecrets } from "./find-secrets.js";
import type { FoundSecret } from "./found-secret.js";
import type { BundleDraft } from "./redact-manifest.js";
import type { RedactionOrder } from "./redaction-order.js";
import { MANIFEST_NAME } from "./residue.js";

/** Looks for what the policies that block or warn find. @returns what is warned of */
export async function watchPolicies(
  { artifacts, unsealed }: BundleDraft,
  { sources, policies, staging }: RedactionOrder,
  options: OpOptions,
): Promise<RedactionReport["warnings"]> {
  const counts: Record<"block" | "warn", RedactionReport["warnings"]> = { block: [], warn: [] };
  for (const mode of ["block", "warn"] as const) {
    const policy = policies[mode];
    if (policy === undefined) continue;
    const { findings } = await findSecrets(artifacts, sources, policy, staging, options);
    counts[mode] = countedFindings([...findings, ...inLabel(unsealed, policy)]);
    if (mode === "block") checkBlocked(counts.block, policy);
  }
  return counts.warn;
}

function inLabel({ label = "", createdBy }: BundleDraft["unsealed"], policy: RedactionPolicy): FoundSecret[] {
  return [label, createdBy].flatMap((text) =>
    policy.scan(text, { path: "manifest:label" }).map(({ rule }) => ({ artifact: MANIFEST_NAME, rule, masked: "" })),
  );
}

function countedFindings(findings: readonly FoundSecret[]): RedactionReport["warnings"] {
  const counts = new Map<string, { artifact: string; rule: string; count: number }>();
  for (const { artifact, rule, times = 1 } of findings) {
    const key = JSON.stringify([artifact, rule]);
    const entry = counts.get(key) ?? { artifact, rule, count: 0 };
    entry.count += times;
    counts.set(key, entry);
  }
  return [...counts.values()];
}

function checkBlocked(found: RedactionReport["warnings"], policy: RedactionPolicy): void {
  const shown = namePolicy(policy);
  const named = found.map((one) => ({
    ...one,
    artifact: redactText(one.artifact, shown, { path: one.artifact }).text,
  }));
  const [first] = named;
  if (first === undefined) return;
  const more = named.length === 1 ? "" : `, and ${String(named.length - 1)} more`;
  throw new KeepsakeError(
    "E_REDACTION_BLOCKED",
    `The rule ${first.rule} found something in ${first.artifact}${more}; nothing was published.`,
    {
      context: { findings: named },
      hint: "`keepsake scan` says where. Take it out, or allow it in redaction.policies.",
    },
  );
}

import type { Finding, RedactionPolicy } from "@keepsake/core";

/**
 * Several policies as one: it finds what any of them finds. Findings that overlap become one that covers both, under the
 * rule that begins first, so that no part of a secret stays.
 */
export function composePolicies(policies: readonly RedactionPolicy[]): RedactionPolicy {
  const [only] = policies;
  if (only && policies.length === 1) return only;
  return {
    id: policies.length === 0 ? "none" : policies.map((policy) => policy.id).join("+"),
    rules: [...new Set(policies.flatMap((policy) => policy.rules))],
    scan: (text, where) => merged(policies.flatMap((policy) => policy.scan(text, where))),
  };
}

function merged(findings: readonly Finding[]): readonly Finding[] {
  // A longer finding goes before a shorter one at the same place: its rule says more.
  const sorted = findings.toSorted((a, b) => a.start - b.start || b.end - a.end);
  const out: Finding[] = [];
  for (const finding of sorted) {
    const last = out.at(-1);
    if (last && finding.start < last.end) out[out.length - 1] = { ...last, end: Math.max(last.end, finding.end) };
    else out.push(finding);
  }
  return out;
}

import { sha256Hex } from "../bytes/hashed-stream.js";
import type { Finding, RedactionPolicy } from "../ports/redaction-policy.js";
import { mergeFindings } from "./merge-findings.js";

/**
 * Several policies as one, which finds what any of them finds. Findings that overlap become one over all of it, so that no
 * part of a secret stays. A single policy is given back as it is. What a rule found is replaced as the first policy with
 * that rule says.
 *
 * @param id default: the ids of the policies, joined by "+"; "none" without any
 */
export function composePolicies(policies: readonly RedactionPolicy[], id?: string): RedactionPolicy {
  const [only] = policies;
  if (only !== undefined && policies.length === 1 && id === undefined) return only;
  const prints = policies.map(({ fingerprint }) => fingerprint);
  const composed: RedactionPolicy = {
    ...(prints.includes(undefined) ? {} : { fingerprint: sha256Hex(JSON.stringify(prints)) }),
    id: id ?? (policies.length === 0 ? "none" : policies.map((policy) => policy.id).join("+")),
    rules: [...new Set(policies.flatMap((policy) => policy.rules))],
    scan: (text, where) => mergeFindings(policies.flatMap((policy): readonly Finding[] => policy.scan(text, where))),
  };
  if (policies.every((policy) => policy.replacement === undefined)) return composed;
  return {
    ...composed,
    replacement(rule, secret) {
      const owner = policies.find((policy) => policy.rules.includes(rule));
      return owner === undefined ? `[REDACTED:${rule}]` : replacementFor(owner, rule, secret);
    },
  };
}

/** What stands instead of a secret that a rule of the policy found. */
export function replacementFor(policy: RedactionPolicy, rule: string, secret: string): string {
  return policy.replacement?.(rule, secret) ?? `[REDACTED:${rule}]`;
}

const REPLACEMENT = /\[REDACTED:[a-z0-9_-]+(?::[0-9a-f]{8})?\]/g;

/** True for what holds a replacement and hardly anything else: a pattern like `token=\S+` finds it again. */
export function isReplaced(found: string): boolean {
  return found.includes("[REDACTED:") && found.replaceAll(REPLACEMENT, "").length <= 3;
}

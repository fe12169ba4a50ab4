import type { RedactionPolicy } from "../ports/redaction-policy.js";
import { mergeFindings } from "./merge-findings.js";

/**
 * Several policies as one, which finds what any of them finds. Findings that overlap become one over all of it, so that no
 * part of a secret stays. A single policy is given back as it is.
 *
 * @param id default: the ids of the policies, joined by "+"; "none" without any
 */
export function composePolicies(policies: readonly RedactionPolicy[], id?: string): RedactionPolicy {
  const [only] = policies;
  if (only !== undefined && policies.length === 1 && id === undefined) return only;
  return {
    id: id ?? (policies.length === 0 ? "none" : policies.map((policy) => policy.id).join("+")),
    rules: [...new Set(policies.flatMap((policy) => policy.rules))],
    scan: (text, where) => mergeFindings(policies.flatMap((policy) => policy.scan(text, where))),
  };
}

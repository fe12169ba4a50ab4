import { type Finding, mergeFindings, type RedactionPolicy } from "@keepsake/core";
import { DEFAULT_RULES } from "./rules/default-rules.js";
import type { SecretRule } from "./secret-rule.js";

/** A policy that applies a list of rules. */
export function rulePolicy(id: string, rules: readonly SecretRule[]): RedactionPolicy {
  return {
    id,
    rules: rules.map((rule) => rule.id),
    scan(text) {
      const folded = text.toLowerCase();
      const due = rules.filter((rule) => rule.keywords.some((keyword) => folded.includes(keyword)));
      return mergeFindings(due.flatMap((rule) => findingsOf(rule, text)));
    },
  };
}

/** The policy "default": keys and tokens of model providers, clouds, forges and chats, bearer tokens and JWTs. */
export function defaultPolicy(): RedactionPolicy {
  return rulePolicy("default", DEFAULT_RULES);
}

function findingsOf({ id, patterns, check }: SecretRule, text: string): Finding[] {
  const findings: Finding[] = [];
  for (const pattern of patterns) {
    for (const match of text.matchAll(pattern)) {
      const range = match.indices?.groups?.["secret"];
      if (range === undefined)
        throw new TypeError(`A pattern of the rule ${id} has no group "secret" or lacks the flag d.`);
      const [start, end] = range;
      if (check?.(text.slice(start, end)) !== false) findings.push({ start, end, rule: id });
    }
  }
  return findings;
}

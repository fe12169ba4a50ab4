import { addMatch } from "./add-matches.js";
import type { RedactionPolicy, ScanContext } from "../ports/redaction-policy.js";
import { isReplaced, replacementFor } from "./compose-policies.js";

/** A text without its secrets, and how many there were by rule. */
export interface RedactedText {
  readonly text: string;
  readonly matches: Readonly<Record<string, number>>;
}

/**
 * A replacement ends what stood before it and begins what stands behind: two secrets that touched may show one after the
 * other. More rounds than this are not needed for anything but a policy that finds its own replacements.
 */
export const MAX_ROUNDS = 6;

/**
 * Replaces every finding of the policy by `[REDACTED:<rule>]`, or as the policy says, until nothing is found any more. A text
 * without findings is given back as it is.
 */
export function redactText(text: string, policy: RedactionPolicy, where: ScanContext): RedactedText {
  const matches: Record<string, number> = {};
  let redacted = text;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const current = redacted;
    const findings = policy.scan(current, where).filter(({ start, end }) => !isReplaced(current.slice(start, end)));
    if (findings.length === 0) break;
    const parts: string[] = [];
    let position = 0;
    for (const { start, end, rule } of findings) {
      parts.push(redacted.slice(position, start), replacementFor(policy, rule, redacted.slice(start, end)));
      addMatch(matches, rule);
      position = end;
    }
    redacted = parts.join("") + redacted.slice(position);
  }
  return { text: redacted, matches };
}

import type { RedactionPolicy, ScanContext } from "../ports/redaction-policy.js";

/** A text without its secrets, and how many there were by rule. */
export interface RedactedText {
  readonly text: string;
  readonly matches: Readonly<Record<string, number>>;
}

/** Replaces every finding of the policy by `[REDACTED:<rule>]`. A text without findings is given back as it is. */
export function redactText(text: string, policy: RedactionPolicy, where: ScanContext): RedactedText {
  const matches: Record<string, number> = {};
  const parts: string[] = [];
  let position = 0;
  for (const { start, end, rule } of policy.scan(text, where)) {
    parts.push(text.slice(position, start), `[REDACTED:${rule}]`);
    matches[rule] = (matches[rule] ?? 0) + 1;
    position = end;
  }
  return { text: position === 0 ? text : parts.join("") + text.slice(position), matches };
}

import { type Finding, isReplaced, mergeFindings, type RedactionPolicy } from "@keepsake/core";
import { RollingHash, WINDOW } from "./rolling-hash.js";
import type { SecretFragments } from "./secret-fragments.js";

/** What stands where a secret was, in a text, or in a name that takes no brackets. */
const REPLACED = /\[?REDACTED[:-][A-Za-z0-9_:-]*\]?/;

/** The policy, whose every finding is taken note of. */
export function recordingPolicy(policy: RedactionPolicy, fragments: SecretFragments): RedactionPolicy {
  return {
    ...policy,
    scan(text, where) {
      fragments.spare(text);
      const findings = policy.scan(text, where);
      for (const { start, end, rule } of findings) {
        const secret = text.slice(start, end);
        if (!isReplaced(secret)) for (const part of secret.split(REPLACED)) fragments.note(rule, part);
      }
      return findings;
    },
  };
}

/**
 * Finds in a text what was found elsewhere, or a part of it: a key that stands behind its name in one note and bare in
 * another, where no rule knows it. Knows only fragments, so it cannot tell what it has not found.
 */
export function fragmentPolicy(fragments: SecretFragments, rules: readonly string[]): RedactionPolicy {
  return {
    id: "known",
    rules,
    scan(text) {
      if (fragments.size === 0 || text.length < WINDOW) return [];
      const bytes = Buffer.from(text, "utf8");
      const found: Finding[] = [];
      const rolling = new RollingHash();
      rolling.feed(bytes, fragments.filter, (hash, end) => {
        const fragment = fragments.at(hash, rolling.window());
        if (fragment === undefined) return;
        const { rule, offset, length } = fragment;
        const first = end - WINDOW - offset;
        // All of it where all of it is there: words within a secret are no fragments of it.
        const isWhole = first >= 0 && fragments.isWhole(fragment, bytes.subarray(first, first + length));
        found.push(isWhole ? { start: first, end: first + length, rule } : { start: end - WINDOW, end, rule });
      });
      const isAscii = bytes.length === text.length;
      return mergeFindings(found).map((finding) => (isAscii ? finding : inText(finding, bytes)));
    },
  };
}

/** A range of bytes as one of UTF-16 code units; a character that it cuts belongs to it. */
function inText({ start, end, rule }: Finding, bytes: Buffer): Finding {
  return {
    start: bytes.toString("utf8", 0, start).length,
    end: bytes.toString("utf8", 0, end).length,
    rule,
  };
}

import type { Finding } from "../ports/redaction-policy.js";

/**
 * Findings as a policy gives them: sorted, none overlapping another. What overlaps becomes one finding over all of it, so that
 * no end of a secret stays; it is named by the longest, then the leftmost, then the first given.
 */
export function mergeFindings(findings: readonly Finding[]): readonly Finding[] {
  const sorted = [...findings].sort((a, b) => a.start - b.start || b.end - a.end);
  const merged: Finding[] = [];
  let longest = 0;
  for (const finding of sorted) {
    const last = merged.at(-1);
    const length = finding.end - finding.start;
    if (last === undefined || finding.start >= last.end) {
      merged.push(finding);
      longest = length;
      continue;
    }
    const rule = length > longest ? finding.rule : last.rule;
    longest = Math.max(longest, length);
    merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, finding.end), rule };
  }
  return merged;
}

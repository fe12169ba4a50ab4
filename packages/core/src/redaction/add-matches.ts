/** Counts a finding of a rule, whatever the rule is called: `constructor` may be the id of one. */
export function addMatch(sum: Record<string, number>, rule: string, count = 1): void {
  sum[rule] = (Object.hasOwn(sum, rule) ? (sum[rule] ?? 0) : 0) + count;
}

/** Adds up how often each rule found something. */
export function addMatches(sum: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [rule, count] of Object.entries(more)) addMatch(sum, rule, count);
}

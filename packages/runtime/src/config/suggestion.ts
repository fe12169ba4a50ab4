/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_value, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** The known word that `word` most likely was meant to be, or undefined when none is near. */
export function suggestion(word: string, known: readonly string[]): string | undefined {
  const folded = word.toLowerCase().replaceAll("-", "_");
  const near = known
    .map((candidate) => ({ candidate, away: distance(folded, candidate.toLowerCase().replaceAll("-", "_")) }))
    .filter(({ candidate, away }) => away <= Math.max(1, Math.floor(Math.min(word.length, candidate.length) / 3)))
    .sort((a, b) => a.away - b.away);
  return near[0]?.candidate;
}

/**
 * "unknown key; did you mean …?", with the nearest known word or, where there is none, all of them.
 *
 * @param what "key", whose name the path of the problem tells; or `codec "zst"`
 */
export function unknownWord(what: string, word: string, known: readonly string[]): string {
  const meant = suggestion(word, known);
  if (meant !== undefined) return `unknown ${what}; did you mean ${JSON.stringify(meant)}?`;
  if (known.length === 0) return `unknown ${what}; there are none`;
  return `unknown ${what}; known are ${[...known].sort().join(", ")}`;
}

/** {@link unknownWord} for a name that is a value: `unknown codec "zst"; …`. */
export function unknownName(kind: string, name: string, known: readonly string[]): string {
  return unknownWord(`${kind} ${JSON.stringify(name)}`, name, known);
}

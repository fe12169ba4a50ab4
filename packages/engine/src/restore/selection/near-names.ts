/** How many names a hint lists. */
const MOST = 3;

/** The names that are most like what was asked for; none when none is. */
export function nearNames(asked: string, names: Iterable<string>): readonly string[] {
  const wanted = asked.toLowerCase();
  const farthest = Math.max(2, Math.floor(wanted.length / 3));
  const ranked: { readonly name: string; readonly distance: number }[] = [];
  for (const name of new Set(names)) {
    const distance = distanceOf(wanted, name.toLowerCase(), farthest);
    if (distance <= farthest) ranked.push({ name, distance });
  }
  return ranked
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, MOST)
    .map(({ name }) => name);
}

/** Levenshtein's distance; of the last names alone where that is less. Beyond `farthest` it is not told exactly. */
function distanceOf(a: string, b: string, farthest: number): number {
  const lastOfB = b.slice(b.lastIndexOf("/") + 1);
  return Math.min(levenshtein(a, b, farthest), levenshtein(a.slice(a.lastIndexOf("/") + 1), lastOfB, farthest) + 1);
}

function levenshtein(a: string, b: string, farthest: number): number {
  if (Math.abs(a.length - b.length) > farthest) return farthest + 1;
  let row = Array.from({ length: b.length + 1 }, (_none, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Shannon entropy of the characters, in bits per character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const PLACEHOLDER = /placeholder|change_?me|(?:^|[-_])(?:your|example)[-_]|redacted|x{6}|\*{4}/i;

/**
 * True for what can only stand where a secret would. An invented key ("…7EXAMPLE", "abcdef123456…") is none: it has the
 * form of a real one, and who tries out what is found had better see it go.
 */
export function isPlaceholder(text: string): boolean {
  return PLACEHOLDER.test(text);
}

/** True when the text has upper case, lower case or digits: at least `kinds` of the three. */
export function mixes(text: string, kinds: 1 | 2 | 3): boolean {
  return [/[A-Z]/, /[a-z]/, /[0-9]/].filter((kind) => kind.test(text)).length >= kinds;
}

/** True when letters and digits follow each other without a break, at least `length` of them, a digit among them. */
export function hasKeyRun(text: string, length: number): boolean {
  return text.split(/[^A-Za-z0-9]/).some((run) => run.length >= length && /[0-9]/.test(run));
}

/** True for what a generator made, as far as its characters show. `minBits` per character: 32 random hex digits fall below 3 once in 20,000 times, below 2.5 hardly ever. */
export function looksRandom(text: string, minBits = 2.5): boolean {
  return !isPlaceholder(text) && entropyOf(text) >= minBits;
}

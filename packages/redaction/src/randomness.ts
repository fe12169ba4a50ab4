/** Shannon entropy of the characters, in bits per character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const PLACEHOLDER = /example|placeholder|change_?me|(?:^|[-_])your[-_]|redacted|x{6}|\*{4}|0{8}|1234567890|abcdefghij/i;

/** True for what documentation puts where a secret would stand. */
export function isPlaceholder(text: string): boolean {
  return PLACEHOLDER.test(text);
}

/** True when the text has upper case, lower case or digits: at least `kinds` of the three. */
export function mixes(text: string, kinds: 1 | 2 | 3): boolean {
  return [/[A-Z]/, /[a-z]/, /[0-9]/].filter((kind) => kind.test(text)).length >= kinds;
}

/** True for what a generator made, as far as its characters show. `minBits` per character: 32 random hex digits fall below 3 once in 20,000 times, below 2.5 hardly ever. */
export function looksRandom(text: string, minBits = 2.5): boolean {
  return !isPlaceholder(text) && entropyOf(text) >= minBits;
}

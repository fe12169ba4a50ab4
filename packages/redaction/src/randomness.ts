/** How often each code unit occurs; all zero between two calls. */
const counts = new Uint32Array(65_536);

/** Shannon entropy of the characters, in bits per character. */
export function entropyOf(text: string): number {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  let bits = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const count = counts[code] ?? 0;
    if (count === 0) continue;
    bits -= (count / text.length) * Math.log2(count / text.length);
    counts[code] = 0;
  }
  return bits;
}

const PLACEHOLDERS = [
  /placeholder|change[-_]?(?:me|it|this)|redacted|x{6}|\*{3}|\.{3}|…|•{3}|#{4}|_{5}|0{12}|dummy/i,
  /(?:^|[-_.])(?:your|example|sample|fake|insert|replace|enter|add|put|paste)[-_]|[-_](?:example|sample|here)$/i,
  /your[-_]?(?:own|api|secret|access|auth|token|key|password|project|real|db|new)|(?:key|token|secret|password)[-_]?(?:goes[-_]?)?here/i,
  /^[<[{(].*[>\]})]$|^(?:todo|tbd|none|null|undefined|n\/a|secret|password|token|hidden|masked|removed|omitted)$/i,
];

/**
 * True for what can only stand where a secret would. An invented key ("abcdef123456…") is none: it has the form of a
 * real one, and who tries out what is found had better see it go.
 */
export function isPlaceholder(text: string): boolean {
  return PLACEHOLDERS.some((pattern) => pattern.test(text));
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

/** Words with hyphens between them have no capitals among small letters and digits, and no long run with a digit. */
export function isNoWords(text: string): boolean {
  return mixes(text, 3) || hasKeyRun(text, 16);
}

/**
 * How often small letters, capitals, digits and the rest take turns, for each character. Words in camel case come to 0.25,
 * random letters and digits to 0.4 and more.
 */
export function restlessness(text: string): number {
  let turns = 0;
  for (let index = 1; index < text.length; index++) {
    if (kindOf(text.charCodeAt(index)) !== kindOf(text.charCodeAt(index - 1))) turns++;
  }
  return text.length < 2 ? 0 : turns / (text.length - 1);
}

function kindOf(code: number): number {
  if (code >= 97 && code <= 122) return 0;
  if (code >= 65 && code <= 90) return 1;
  return code >= 48 && code <= 57 ? 2 : 3;
}

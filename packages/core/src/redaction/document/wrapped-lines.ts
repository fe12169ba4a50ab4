/** Lengths of lines that a program breaks at, in characters: 64 and 76 of base64, 72 to 80 of mail, up to 130 of terminals. */
const SHORTEST = 60;
const LONGEST = 130;
/** What a token has at least before and behind the break. */
const BEFORE = 8;
const BEHIND = 4;
/** A line may be set in as deep as this. */
const MAX_INDENT = 16;

const IN_TOKEN = Uint8Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9+/_.-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/** A line break within a token, with the blanks behind it. */
export interface Wrap {
  readonly index: number;
  readonly length: number;
}

/**
 * Breaks that a width put into a token, not a writer: at the end of a long line, behind what is no word of small letters, and
 * before more of the same that is no name.
 */
export function* wrapsIn(text: string): Generator<Wrap> {
  let start = 0;
  for (let newLine = text.indexOf("\n"); newLine >= 0; newLine = text.indexOf("\n", start)) {
    const end = text.charCodeAt(newLine - 1) === 0x0d ? newLine - 1 : newLine;
    const next = afterBlanks(text, newLine + 1);
    const length = end - start;
    if (length >= SHORTEST && length <= LONGEST && endsInToken(text, start, end) && beginsToken(text, next))
      yield { index: end, length: next - end };
    start = newLine + 1;
  }
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (at < from + MAX_INDENT && (text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 0x09)) at++;
  return at;
}

function endsInToken(text: string, start: number, end: number): boolean {
  let at = end;
  let isWord = true;
  for (; at > start && IN_TOKEN[text.charCodeAt(at - 1)] === 1; at--) {
    const code = text.charCodeAt(at - 1);
    if (code < 0x61) isWord &&= code < 0x30;
  }
  return end - at >= BEFORE && !isWord;
}

function beginsToken(text: string, start: number): boolean {
  let at = start;
  while (at < start + LONGEST && IN_TOKEN[text.charCodeAt(at)] === 1) at++;
  // `name: value` and `name = value` begin something else; padding ends base64.
  return at - start >= BEHIND && !/^[ \t]?[:=](?!=?[\s"']|=?$)|^[ \t]?:/.test(text.slice(at, at + 3));
}

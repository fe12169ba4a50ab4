/** Code points, each range with both its ends; or the source of a class by property, which stands for itself. */
export type Ranges = readonly (readonly [first: number, last: number] | string)[];

const D: Ranges = [[0x30, 0x39]];
const W: Ranges = [...D, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const S: Ranges = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];

const POSIX: Readonly<Record<string, Ranges>> = {
  alnum: [...D, [0x41, 0x5a], [0x61, 0x7a]],
  alpha: [
    [0x41, 0x5a],
    [0x61, 0x7a],
  ],
  ascii: [[0, 0x7f]],
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: D,
  graph: [[0x21, 0x7e]],
  lower: [[0x61, 0x7a]],
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  upper: [[0x41, 0x5a]],
  word: W,
  xdigit: [...D, [0x41, 0x46], [0x61, 0x66]],
};

const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** All code points that are in none of the ranges. */
function without(ranges: Ranges): Ranges {
  const pairs = ranges.filter((range) => typeof range !== "string").sort((a, b) => a[0] - b[0]);
  const rest: [number, number][] = [];
  let next = 0;
  for (const [first, last] of pairs) {
    if (first > next) rest.push([next, first - 1]);
    next = Math.max(next, last + 1);
  }
  if (next <= 0x10ffff) rest.push([next, 0x10ffff]);
  return rest;
}

/** What the escape at `position` stands for. */
export function escapeRanges(pattern: string, position: number): { readonly set: Ranges; readonly end: number } {
  const rest = pattern.slice(position + 1);
  const letter = rest.charAt(0);
  const classes: Readonly<Record<string, Ranges>> = { d: D, w: W, s: S, D: without(D), W: without(W), S: without(S) };
  const known = classes[letter];
  if (known !== undefined) return { set: known, end: position + 2 };
  const control = CONTROLS[letter];
  if (control !== undefined) return { set: [[control, control]], end: position + 2 };
  const code = /^x\{([0-9A-Fa-f]{1,6})\}|^x([0-9A-Fa-f]{2})|^(0[0-7]{0,2}|[1-7][0-7]{2})/.exec(rest);
  if (code !== null) {
    const octal = code[3];
    const value = octal === undefined ? Number.parseInt(code[1] ?? code[2] ?? "", 16) : Number.parseInt(octal, 8);
    return { set: [[value, value]], end: position + 1 + code[0].length };
  }
  const property = /^([pP])(?:\{(\^?)([A-Za-z_]+)\}|([A-Z]))/.exec(rest);
  if (property !== null) {
    const [whole, kind = "p", caret = "", long, short = ""] = property;
    const isNegated = (kind === "P") !== (caret === "^");
    const name = long ?? short;
    const source = name.length <= 2 ? name : `Script=${name}`;
    return { set: [`\\${isNegated ? "P" : "p"}{${source}}`], end: position + 1 + whole.length };
  }
  if (/^[A-Za-z0-9]/.test(letter)) throw new SyntaxError(`\\${letter} is not of RE2`);
  if (letter === "") throw new SyntaxError("it ends with a \\");
  const literal = rest.codePointAt(0) ?? 0;
  return { set: [[literal, literal]], end: position + 1 + String.fromCodePoint(literal).length };
}

/** What the class in brackets at `position` stands for. */
export function classRanges(
  pattern: string,
  position: number,
): { readonly ranges: Ranges; readonly isNegated: boolean; readonly end: number } {
  let next = position + 1;
  const isNegated = pattern.charAt(next) === "^";
  if (isNegated) next++;
  const ranges: (readonly [number, number] | string)[] = [];
  const first = next;
  while (pattern.charAt(next) !== "]" || next === first) {
    if (next >= pattern.length) throw new SyntaxError("a [ is not closed");
    const posix = /^\[:(\^?)(\w+):\]/.exec(pattern.slice(next));
    if (posix !== null) {
      const named = POSIX[posix[2] ?? ""];
      if (named === undefined) throw new SyntaxError(`${posix[0]} is no class`);
      ranges.push(...(posix[1] === "^" ? without(named) : named));
      next += posix[0].length;
      continue;
    }
    const low = member(pattern, next);
    next = low.end;
    const isRange = pattern.charAt(next) === "-" && pattern.charAt(next + 1) !== "]";
    if (!isRange || low.code === undefined) {
      ranges.push(...low.set);
      continue;
    }
    const high = member(pattern, next + 1);
    if (high.code === undefined || high.code < low.code) throw new SyntaxError("a range in a class is turned round");
    ranges.push([low.code, high.code]);
    next = high.end;
  }
  return { ranges, isNegated, end: next + 1 };
}

function member(
  pattern: string,
  at: number,
): { readonly set: Ranges; readonly code: number | undefined; readonly end: number } {
  if (pattern.charAt(at) !== "\\") {
    const code = pattern.codePointAt(at) ?? 0;
    return { set: [[code, code]], code, end: at + String.fromCodePoint(code).length };
  }
  const { set, end } = escapeRanges(pattern, at);
  const [only] = set;
  const isOne = set.length === 1 && only !== undefined && typeof only !== "string" && only[0] === only[1];
  return { set, code: isOne ? only[0] : undefined, end };
}

/** With the other case of every letter, as RE2 folds: k and s have a third form outside of ASCII. */
export function foldRanges(ranges: Ranges): Ranges {
  const folded: (readonly [number, number] | string)[] = [...ranges];
  for (const range of ranges) {
    if (typeof range === "string") continue;
    const [first, last] = range;
    // Beyond the alphabets that have cases there is nothing to fold.
    for (let code = first; code <= Math.min(last, 0x24ff); code++) {
      const character = String.fromCodePoint(code);
      for (const other of [character.toLowerCase(), character.toUpperCase()]) {
        const otherCode = other.codePointAt(0) ?? code;
        if (otherCode !== code && other.length === 1) folded.push([otherCode, otherCode]);
      }
      if (code === 0x6b || code === 0x4b) folded.push([0x212a, 0x212a]);
      if (code === 0x73 || code === 0x53) folded.push([0x17f, 0x17f]);
    }
  }
  return folded;
}

/** A class of JavaScript, with the flag `u`; one character without brackets. */
export function rangesSource(ranges: Ranges, isNegated: boolean): string {
  const [only] = ranges;
  if (!isNegated && ranges.length === 1 && only !== undefined && typeof only !== "string" && only[0] === only[1])
    return characterSource(only[0]);
  if (!isNegated && ranges.length === 1 && typeof only === "string") return only;
  const parts = ranges.map((range) => {
    if (typeof range === "string") return range;
    const [first, last] = range;
    return first === last ? characterSource(first) : `${characterSource(first)}-${characterSource(last)}`;
  });
  return `[${isNegated ? "^" : ""}${parts.join("")}]`;
}

function characterSource(code: number): string {
  const character = String.fromCodePoint(code);
  return /^[A-Za-z0-9_ "'=:;,<>@#%&~`!]$/.test(character) ? character : `\\u{${code.toString(16)}}`;
}

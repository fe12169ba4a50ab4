import { JsonPairs } from "./json-pairs.js";
import { TextView } from "./text-view.js";

/** JSON as a list of `"name": "value"` lines, and up to where a part of it may be cut. */
export interface JsonView {
  readonly view: TextView;
  /** ends of string values in the original, behind the quote, ascending: nothing that was decoded reaches over one */
  readonly cuts: readonly number[];
}

/** One in so many lines may be no JSON (a line that was cut off when a program was killed), beside the first three. */
const LINES_PER_DAMAGED_ONE = 50;
/** A number shorter than this is no secret, nor anybody's. */
const MIN_DIGITS = 8;
/** Followed by what ends a value. */
const LITERAL = /(?:-?\d[\d.eE+-]*|true|false|null)(?=[\s,\]}]|$)/y;

/** What a text is a part of a larger one by. */
export interface Part {
  /** it goes on behind its end */
  readonly isOpen: boolean;
  /** it begins in the middle of a document, behind a value */
  readonly isContinued: boolean;
}

export const WHOLE: Part = { isOpen: false, isContinued: false };

/**
 * Reads JSON, JSON lines, or a part of a JSON document, in one pass and without building values. Each string is decoded and
 * comes with the name it has (an element of an array with the name of the array, a member of an object with the object's name
 * before its own), so that what a name tells of its value is seen in every layout; one that is called by a member beside it,
 * or by the object it is in, comes with that name once more. `\"` stays as it is: a quote would end the value.
 *
 * @returns undefined for what is not JSON
 */
export function jsonView(text: string, part = WHOLE): JsonView | undefined {
  const isLikely = (part.isContinued ? /^\s*[[{"\]},]/ : /^\s*[[{"]/).test(text);
  return isLikely ? new JsonReader(text, part.isOpen).read() : undefined;
}

class JsonReader {
  readonly #text: string;
  readonly #isOpen: boolean;
  readonly #view = new TextView();
  readonly #cuts: number[] = [];
  /** names of the objects and arrays around; "" for one without */
  readonly #around: string[] = [];
  readonly #pairs = new JsonPairs();
  #position = 0;
  #name: string | undefined;
  #lineStart = 0;
  /** the next line feed that is known of */
  #nextLine = -1;
  #lineMark = this.#view.mark();
  #lineCuts = 0;
  #lines = 1;
  #damaged = 0;

  constructor(text: string, isOpen: boolean) {
    this.#text = text;
    this.#isOpen = isOpen;
  }

  read(): JsonView | undefined {
    while (this.#position < this.#text.length) {
      if (this.#token()) continue;
      const isOpenString = this.#isOpen && !this.#text.includes("\n", this.#position);
      if (isOpenString) break;
      if (++this.#damaged > 3 + this.#lines / LINES_PER_DAMAGED_ONE) return undefined;
      this.#takeLineAsItIs();
    }
    if (this.#damaged > 3 + this.#lines / LINES_PER_DAMAGED_ONE || this.#damaged * 2 > this.#lines) return undefined;
    return { view: this.#view, cuts: this.#cuts };
  }

  #token(): boolean {
    switch (this.#text.charCodeAt(this.#position)) {
      case 0x0a:
        this.#position++;
        this.#newLine();
        return true;
      case 0x20:
      case 0x09:
      case 0x0d:
      case 0x3a:
      case 0xfeff:
        this.#position++;
        return true;
      case 0x2c:
        this.#name = undefined;
        this.#position++;
        return true;
      case 0x7b:
        this.#pairs.beginObject();
        this.#begin();
        return true;
      case 0x5b:
        this.#pairs.beginArray(this.#name, this.#cuts.length);
        this.#begin();
        return true;
      case 0x7d:
        this.#tellPair();
        this.#end();
        return true;
      case 0x5d:
        this.#end();
        return true;
      case 0x22:
        return this.#string();
      default:
        return this.#literal();
    }
  }

  #begin(): void {
    if (this.#name !== undefined) this.#view.endLine();
    this.#around.push(this.#name ?? this.#around.at(-1) ?? "");
    this.#name = undefined;
    this.#position++;
  }

  #end(): void {
    this.#around.pop();
    this.#pairs.end();
    this.#name = undefined;
    this.#position++;
  }

  /** Says once more what is called by a member beside it. */
  #tellPair(): void {
    const pair = this.#pairs.told(this.#around.at(-1) ?? "");
    if (pair === undefined) return;
    for (const name of pair.names) {
      for (const [start, end] of pair.values) {
        this.#view.say(`"${name}": "`);
        this.#decode(start, end);
        this.#view.say('"\n');
      }
    }
    this.#cuts.length = Math.min(this.#cuts.length, pair.cuts);
    this.#cuts.push(this.#position + 1);
  }

  #newLine(): void {
    this.#lines++;
    this.#lineStart = this.#position;
    this.#lineMark = this.#view.mark();
    this.#lineCuts = this.#cuts.length;
    // JSON lines: each begins anew, also after one that was cut off.
    if (this.#text.charCodeAt(this.#position) === 0x7b && this.#damaged > 0) {
      this.#around.length = 0;
      this.#pairs.clear();
    }
  }

  #string(): boolean {
    const start = this.#position + 1;
    const end = this.#stringEnd(start);
    if (end < 0) return false;
    this.#position = end + 1;
    if (this.#isName(end + 1)) {
      this.#name = this.#text.slice(start, end);
      const around = this.#around.at(-1);
      this.#view.say(around === undefined || around === "" ? '"' : `${around}."`);
      this.#decode(start, end);
      this.#view.say('": "');
      return true;
    }
    if (this.#name === undefined) this.#view.say(`"${this.#around.at(-1) ?? ""}": "`);
    this.#decode(start, end);
    this.#view.say('"\n');
    const name = this.#name ?? this.#around.at(-1) ?? "";
    this.#pairs.note(name, this.#name !== undefined, this.#text.slice(start, end), [start, end], this.#cuts.length);
    this.#cuts.push(end + 1);
    return true;
  }

  /** The closing quote; -1 where there is none in the line. */
  #stringEnd(start: number): number {
    let end = this.#text.indexOf('"', start);
    while (end > 0 && this.#isEscaped(end, start)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) return -1;
    if (this.#nextLine < start) {
      const newLine = this.#text.indexOf("\n", start);
      this.#nextLine = newLine < 0 ? this.#text.length : newLine;
    }
    return this.#nextLine < end ? -1 : end;
  }

  #isEscaped(quote: number, start: number): boolean {
    let first = quote;
    while (first > start && this.#text.charCodeAt(first - 1) === 0x5c) first--;
    return (quote - first) % 2 === 1;
  }

  #isName(position: number): boolean {
    let next = position;
    let code = this.#text.charCodeAt(next);
    while (code === 0x20 || (code >= 0x09 && code <= 0x0d)) code = this.#text.charCodeAt(++next);
    return code === 0x3a;
  }

  #decode(start: number, end: number): void {
    let from = start;
    for (;;) {
      const slash = this.#text.indexOf("\\", from);
      if (slash < 0 || slash >= end) break;
      this.#view.take(this.#text, from, slash);
      from = slash + escapeLength(this.#text, slash);
      this.#view.take(this.#text, slash, from, unescaped(this.#text.slice(slash, from)));
    }
    this.#view.take(this.#text, from, end);
  }

  #literal(): boolean {
    if (this.#plainNumber()) return true;
    LITERAL.lastIndex = this.#position;
    const literal = LITERAL.exec(this.#text)?.[0];
    if (literal === undefined) return false;
    if (literal.length >= MIN_DIGITS && !literal.includes(".")) {
      if (this.#name === undefined) this.#view.say(`"${this.#around.at(-1) ?? ""}": `);
      this.#view.take(this.#text, this.#position, this.#position + literal.length, undefined, true);
    }
    this.#view.endLine();
    this.#position += literal.length;
    return true;
  }

  /**
   * Most numbers, without the cost of a pattern: short ones, and fractions, which are measures and never secrets; a vector has
   * hundreds. What they are the value of is not told.
   */
  #plainNumber(): boolean {
    let end = this.#position;
    let isFraction = false;
    let code = this.#text.charCodeAt(end);
    while (isInNumber(code)) {
      if (code === 0x2e) isFraction = true;
      code = this.#text.charCodeAt(++end);
    }
    const isEnd = code === 0x2c || code === 0x5d || code === 0x7d || code === 0x0a || code === 0x20 || code === 0x0d;
    const length = end - this.#position;
    if (!isEnd || length === 0 || (length >= MIN_DIGITS && !isFraction)) return false;
    this.#view.endLine();
    this.#position = end;
    return true;
  }

  #takeLineAsItIs(): void {
    const newLine = this.#text.indexOf("\n", this.#position);
    const end = newLine < 0 ? this.#text.length : newLine + 1;
    this.#view.back(this.#lineMark);
    this.#cuts.length = Math.min(this.#cuts.length, this.#lineCuts);
    this.#view.take(this.#text, this.#lineStart, end);
    this.#name = undefined;
    this.#position = end;
    this.#newLine();
  }
}

/** Digits, and `.`, `-`, `+`, `e`, `E`. */
function isInNumber(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x2d || code === 0x65 || code === 0x45 || code === 0x2b
  );
}

function escapeLength(text: string, slash: number): number {
  return text.charAt(slash + 1) === "u" && /^[0-9A-Fa-f]{4}$/.test(text.slice(slash + 2, slash + 6)) ? 6 : 2;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\n": "\n",
  "\\r": "\r",
  "\\t": "\t",
  "\\b": "\b",
  "\\f": "\f",
  "\\/": "/",
  "\\\\": "\\",
};

function unescaped(escape: string): string {
  if (escape.length === 6) return String.fromCharCode(Number.parseInt(escape.slice(2), 16));
  return ESCAPES[escape] ?? escape;
}

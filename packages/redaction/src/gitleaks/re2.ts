import { classRanges, escapeRanges, foldRanges, rangesSource, type Ranges } from "./re2-classes.js";

interface Flags {
  /** upper and lower case are the same */
  readonly i: boolean;
  /** `^` and `$` at lines */
  readonly m: boolean;
  /** `.` is a line feed too */
  readonly s: boolean;
}

/**
 * A pattern of RE2 (https://github.com/google/re2/wiki/Syntax) as one of JavaScript, with the flag `u`. Flags are worked
 * into the pattern, since JavaScript has none within it, and its own differ: `\s` and `\w` are ASCII in RE2, `.` is all but a line
 * feed, `$` without `m` is the end of the text alone.
 *
 * @throws SyntaxError which tells what of it JavaScript has not, or RE2 has not
 */
export function translateRe2(pattern: string): string {
  const reader = new Re2Reader(pattern);
  const source = reader.read();
  try {
    new RegExp(source, "u");
  } catch (error) {
    throw new SyntaxError(`it is no pattern: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  return source;
}

class Re2Reader {
  readonly #pattern: string;
  #position = 0;
  #flags: Flags = { i: false, m: false, s: false };
  readonly #outer: Flags[] = [];

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  read(): string {
    let source = "";
    while (this.#position < this.#pattern.length) source += this.#next();
    if (this.#outer.length > 0) throw new SyntaxError("a ( is not closed");
    return source;
  }

  #next(): string {
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#position) ?? 0);
    switch (character) {
      case "(":
        return this.#open();
      case ")":
        return this.#close();
      case "[":
        return this.#class();
      case "\\":
        return this.#escape();
      case "{":
        return this.#brace();
      case ".":
        this.#position++;
        return this.#flags.s ? "[\\s\\S]" : "[^\\n]";
      case "^":
        this.#position++;
        return this.#flags.m ? "(?<![^\\n])" : "(?<![\\s\\S])";
      case "$":
        this.#position++;
        return this.#flags.m ? "(?![^\\n])" : "(?![\\s\\S])";
      case "*":
      case "+":
      case "?":
        return this.#repetition(character);
      case "|":
        this.#position++;
        return "|";
      default:
        this.#position += character.length;
        return this.#literal(character);
    }
  }

  #repetition(sign: string): string {
    this.#position++;
    if (/[+*]/.test(this.#pattern.charAt(this.#position))) throw new SyntaxError(`two repetitions follow each other`);
    return sign;
  }

  #brace(): string {
    const count = /^\{\d+(?:,\d*)?\}/.exec(this.#pattern.slice(this.#position))?.[0];
    this.#position += count?.length ?? 1;
    return count ?? "\\{";
  }

  #open(): string {
    const rest = this.#pattern.slice(this.#position);
    const name = /^\(\?P?<([A-Za-z_]\w*)>/.exec(rest);
    if (name !== null) return this.#enter(name[0], `(?<${name[1] ?? ""}>`);
    const flags = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest);
    if (flags !== null) {
      const [whole, on = "", off = "", end] = flags;
      if (`${on}${off}`.includes("U")) throw new SyntaxError("the flag U (ungreedy) is not translated");
      const outer = this.#flags;
      const has = (flag: keyof Flags) => (outer[flag] || on.includes(flag)) && !off.includes(flag);
      const inner: Flags = { i: has("i"), m: has("m"), s: has("s") };
      if (end === ":") {
        const source = this.#enter(whole, "(?:");
        this.#flags = inner;
        return source;
      }
      this.#position += whole.length;
      this.#flags = inner;
      return "";
    }
    if (rest.startsWith("(?")) throw new SyntaxError(`${rest.slice(0, 4)} is not of RE2`);
    return this.#enter("(", "(");
  }

  #enter(read: string, source: string): string {
    this.#position += read.length;
    this.#outer.push(this.#flags);
    return source;
  }

  #close(): string {
    const outer = this.#outer.pop();
    if (outer === undefined) throw new SyntaxError("a ) is not opened");
    this.#flags = outer;
    this.#position++;
    return ")";
  }

  #class(): string {
    const { ranges, isNegated, end } = classRanges(this.#pattern, this.#position);
    this.#position = end;
    return this.#ranges(ranges, isNegated);
  }

  #escape(): string {
    const rest = this.#pattern.slice(this.#position);
    const quoted = /^\\Q([\s\S]*?)(?:\\E|$)/.exec(rest);
    if (quoted !== null) {
      this.#position += quoted[0].length;
      return Array.from(quoted[1] ?? "", (character) => this.#literal(character)).join("");
    }
    const anchor = { "\\A": "(?<![\\s\\S])", "\\z": "(?![\\s\\S])", "\\b": "\\b", "\\B": "\\B" }[rest.slice(0, 2)];
    if (anchor !== undefined) {
      this.#position += 2;
      return anchor;
    }
    const escape = escapeRanges(this.#pattern, this.#position);
    this.#position = escape.end;
    return this.#ranges(escape.set, false);
  }

  #ranges(ranges: Ranges, isNegated: boolean): string {
    return rangesSource(this.#flags.i ? foldRanges(ranges) : ranges, isNegated);
  }

  #literal(character: string): string {
    const code = character.codePointAt(0) ?? 0;
    return this.#ranges([[code, code]], false);
  }
}

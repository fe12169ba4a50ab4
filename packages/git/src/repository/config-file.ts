/** One setting of a git configuration file. */
export interface ConfigEntry {
  /** in lower case; empty for a key before the first section, which git takes and never looks for */
  readonly section: string;
  /** as written; undefined in `[section]` */
  readonly subsection: string | undefined;
  /** in lower case */
  readonly key: string;
  /** undefined for a key without `=`, which means true */
  readonly value: string | undefined;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", b: "\b", '"': '"', "\\": "\\" };

/**
 * Reads a git configuration file (source: git-config(1), "Syntax"). Includes are not followed.
 *
 * @returns undefined when it is malformed, as git would refuse it
 */
export function parseGitConfig(text: string): readonly ConfigEntry[] | undefined {
  return new Parser(text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n")).parse();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #section = "";
  #subsection: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): readonly ConfigEntry[] | undefined {
    const entries: ConfigEntry[] = [];
    for (;;) {
      this.#skip(/[ \t\n\r\f\v]*/y);
      const char = this.#text[this.#at];
      if (char === undefined) return entries;
      if (char === "#" || char === ";") this.#skip(/[^\n]*/y);
      else if (char === "[") {
        if (!this.#header()) return undefined;
      } else {
        const entry = this.#entry();
        if (entry === undefined) return undefined;
        entries.push(entry);
      }
    }
  }

  #header(): boolean {
    const match = this.#match(/\[([A-Za-z0-9.-]+)(?:[ \t]+"((?:[^"\\\n]|\\[^\n])*)")?\]/y);
    if (match === undefined) return false;
    const name = match[1] ?? "";
    const quoted = match[2];
    // The old form [section.subsection], whose subsection is in lower case.
    const dot = quoted === undefined ? name.indexOf(".") : -1;
    this.#section = (dot < 0 ? name : name.slice(0, dot)).toLowerCase();
    this.#subsection = dot < 0 ? quoted?.replace(/\\(.)/g, "$1") : name.slice(dot + 1).toLowerCase();
    return true;
  }

  #entry(): ConfigEntry | undefined {
    const key = this.#match(/([A-Za-z][A-Za-z0-9-]*)[ \t]*/y)?.[1]?.toLowerCase();
    if (key === undefined) return undefined;
    const entry = { section: this.#section, subsection: this.#subsection, key };
    const next = this.#text[this.#at];
    if (next === "=") {
      this.#at++;
      const value = this.#value();
      return value === undefined ? undefined : { ...entry, value };
    }
    if (next !== undefined && next !== "\n" && next !== "#" && next !== ";") return undefined;
    return { ...entry, value: undefined };
  }

  #value(): string | undefined {
    let value = "";
    let kept = 0;
    let quoted = false;
    this.#skip(/[ \t]*/y);
    for (;;) {
      const char = this.#text[this.#at++];
      if (char === undefined || char === "\n") return quoted ? undefined : value.slice(0, kept);
      if (char === "\\") {
        const escaped = this.#text[this.#at++];
        if (escaped === "\n") continue;
        const plain = escaped === undefined ? undefined : ESCAPES[escaped];
        if (plain === undefined) return undefined;
        value += plain;
        kept = value.length;
      } else if (char === '"') {
        quoted = !quoted;
        kept = value.length;
      } else if (!quoted && (char === "#" || char === ";")) {
        this.#skip(/[^\n]*/y);
      } else {
        value += char;
        if (quoted || !/[ \t\r\f\v]/.test(char)) kept = value.length;
      }
    }
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #skip(pattern: RegExp): void {
    this.#match(pattern);
  }
}

/** The last value of a key, as git takes it; `section.key` or `section.subsection.key`. */
export function configValue(
  entries: readonly ConfigEntry[],
  section: string,
  key: string,
  subsection?: string,
): string | undefined {
  const found = entries.findLast((e) => e.section === section && e.subsection === subsection && e.key === key);
  return found === undefined ? undefined : (found.value ?? "true");
}

/** True for the spellings git takes for true. */
export function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(?:true|yes|on|[1-9][0-9]*)$/i.test(value);
}

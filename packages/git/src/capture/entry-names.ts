import { foldedPath, percentEncodePath, toBundlePath } from "@keepsake/core";

/** A name in the bundle. */
export interface EntryName {
  readonly path: string;
  readonly nameEncoding?: "percent";
}

/**
 * Gives paths their names in a bundle. Two branches `Main` and `main` are two files here and would be one on another
 * system: the second one's name is escaped as a whole.
 */
export class EntryNames {
  readonly #spelling = new Map<string, string>();

  of(raw: Buffer): EntryName {
    const name = toBundlePath(raw);
    if (this.#claim(name.path)) return name;
    const escaped = percentEncodePath(raw, true);
    this.#claim(escaped);
    return { path: escaped, nameEncoding: "percent" };
  }

  /** @returns false when a part of the path is spelled like another one but for case or composition */
  #claim(path: string): boolean {
    const prefixes: (readonly [string, string])[] = [];
    for (let end = path.indexOf("/"); ; end = path.indexOf("/", end + 1)) {
      const prefix = end < 0 ? path : path.slice(0, end);
      const folded = foldedPath(prefix);
      if ((this.#spelling.get(folded) ?? prefix) !== prefix) return false;
      prefixes.push([folded, prefix]);
      if (end < 0) break;
    }
    for (const [folded, prefix] of prefixes) this.#spelling.set(folded, prefix);
    return true;
  }
}

import { foldedPath } from "./artifact-path.js";

/** Two paths, of which some file system takes one for the other. */
export interface SpellingClash {
  readonly taken: string;
  readonly other: string;
}

/** Which paths are taken, and which others could be taken for one of them. */
export class Spellings {
  /** folded path → the one spelling that stands for it */
  readonly #taken = new Map<string, string>();
  /** folders of which all is taken: most paths lie in one of them */
  readonly #folders = new Set<string>();

  /** Takes a path and each folder above it. @returns what is in its way; then nothing is taken */
  take(path: string): SpellingClash | undefined {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    const from = this.#folders.has(folder) ? folder.length + 1 : 0;
    // Below what is free all is free: where one is in the way, none was taken before.
    for (let cut = path.indexOf("/", from); ; cut = path.indexOf("/", cut + 1)) {
      const other = cut === -1 ? path : path.slice(0, cut);
      const folded = foldedPath(other);
      const taken = this.#taken.get(folded);
      if (taken !== undefined && taken !== other) return { taken, other };
      this.#taken.set(folded, other);
      if (cut === -1) break;
    }
    this.#folders.add(folder);
    return undefined;
  }
}

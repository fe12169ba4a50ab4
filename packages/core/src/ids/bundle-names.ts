import { foldedPath } from "./artifact-path.js";
import { percentEncodePath, toBundlePath } from "./percent-path.js";

/** A path in the bundle, and whether it is the escaped form of the real one. */
export interface BundleName {
  readonly path: string;
  readonly nameEncoding?: "percent";
}

/**
 * Gives the names of one tree their paths in the bundle, so that no system takes two of them for one: a name that some
 * file system would not tell from an earlier one (its folders included) is escaped.
 *
 * The names come in one order, a folder before what is below it where it is named at all: the same tree gets the same paths.
 */
export class BundleNames {
  /** folded path → the one spelling that stands for it */
  readonly #taken = new Map<string, string>();

  /** @param escape true: escape in any case */
  name(raw: Uint8Array, escape = false): BundleName {
    const first = escape ? undefined : toBundlePath(raw);
    const chosen = [first, escaped(raw, false)].find((name) => name !== undefined && this.#isFree(name.path));
    const name = chosen ?? escaped(raw, true);
    this.#take(name.path);
    return name;
  }

  #isFree(path: string): boolean {
    return prefixesOf(path).every((prefix) => {
      const known = this.#taken.get(foldedPath(prefix));
      return known === undefined || known === prefix;
    });
  }

  #take(path: string): void {
    for (const prefix of prefixesOf(path)) this.#taken.set(foldedPath(prefix), prefix);
  }
}

function escaped(raw: Uint8Array, letters: boolean): BundleName {
  return { path: percentEncodePath(raw, letters), nameEncoding: "percent" };
}

/** "a", "a/b", "a/b/c" of "a/b/c". */
function prefixesOf(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.map((_part, index) => parts.slice(0, index + 1).join("/"));
}

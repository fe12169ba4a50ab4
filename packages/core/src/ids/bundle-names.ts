import { percentEncodePath, toBundlePath } from "./percent-path.js";
import { Spellings } from "./spellings.js";

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
  readonly #spellings = new Spellings();

  /** @param escape true: escape in any case */
  name(raw: Uint8Array, escape = false): BundleName {
    if (!escape) {
      const name = toBundlePath(raw);
      if (this.#take(name)) return name;
    }
    const name = escaped(raw, false);
    if (this.#take(name)) return name;
    const all = escaped(raw, true);
    this.#spellings.take(all.path);
    return all;
  }

  #take({ path }: BundleName): boolean {
    return this.#spellings.take(path) === undefined;
  }
}

function escaped(raw: Uint8Array, letters: boolean): BundleName {
  return { path: percentEncodePath(raw, letters), nameEncoding: "percent" };
}

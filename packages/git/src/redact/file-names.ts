import { foldedPath } from "@keepsake/core";
import type { ContentRedactor } from "./content-redactor.js";

/** New names of files whose name holds a secret, the same in a tree, in the index and in the working tree. */
export class FileNames {
  readonly #redactor: ContentRedactor;
  /** names that hold none: most stand in hundreds of trees */
  readonly #clean = new Set<string>();

  constructor(redactor: ContentRedactor) {
    this.#redactor = redactor;
  }

  /**
   * New names of all that is in one folder. Two that would be the same are numbered in the order of their old names.
   *
   * @returns undefined when all stay as they are
   */
  of(names: readonly Buffer[]): readonly Buffer[] | undefined {
    const redacted = names.map((name) => this.#one(name));
    if (redacted.every((name, index) => name === names[index])) return undefined;
    // Numbered as the engine numbers the names in the working tree: two that some file system takes for one are the same.
    const taken = new Set(redacted.filter((name, index) => name === names[index]).map(folded));
    const order = names.map((name, index) => ({ name, index })).sort((a, b) => a.name.compare(b.name));
    for (const { name, index } of order) {
      const wanted = redacted[index];
      if (wanted === undefined || wanted === name) continue;
      let free = wanted;
      for (let number = 2; taken.has(folded(free)); number++)
        free = Buffer.concat([wanted, Buffer.from(`~${String(number)}`)]);
      taken.add(folded(free));
      redacted[index] = free;
    }
    return redacted;
  }

  #one(name: Buffer): Buffer {
    const key = name.toString("latin1");
    if (this.#clean.has(key)) return name;
    const redacted = this.#redactor.nameBytes(name, "git/tree");
    if (redacted === name) this.#clean.add(key);
    return redacted;
  }
}

function folded(name: Buffer): string {
  return foldedPath(name.toString("utf8"));
}

import { RollingHash } from "./rolling-hash.js";
import type { SecretFragments } from "./secret-fragments.js";

/**
 * Reads bytes as they come and looks for a fragment of a secret: as they are (UTF-8, an eight-bit code), and without their
 * zeros, as ASCII stands in UTF-16 of either order. Holds a window, not the bytes.
 */
export class ResidueScanner {
  readonly #fragments: SecretFragments;
  readonly #plain = new RollingHash();
  readonly #wide = new RollingHash();
  #rule: string | undefined;

  constructor(fragments: SecretFragments) {
    this.#fragments = fragments;
  }

  /** The rule of the first secret of which a fragment was met. */
  get rule(): string | undefined {
    return this.#rule;
  }

  feed(bytes: Uint8Array): void {
    if (this.#rule !== undefined) return;
    this.#look(this.#plain, bytes, false);
    this.#look(this.#wide, bytes, true);
  }

  #look(rolling: RollingHash, bytes: Uint8Array, skipZeros: boolean): void {
    rolling.feed(
      bytes,
      (hash) => {
        if (this.#rule === undefined && this.#fragments.mayHold(hash))
          this.#rule = this.#fragments.at(hash, rolling.window())?.rule;
      },
      skipZeros,
    );
  }
}

import { RollingHash, WINDOW } from "./rolling-hash.js";
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
    this.#lookWide(bytes);
  }

  /** Only around zeros is there anything that the plain look has not seen: a long run without one is passed over. */
  #lookWide(bytes: Uint8Array): void {
    let from = 0;
    let start = 0;
    while (start < bytes.length) {
      const zero = bytes.indexOf(0, start);
      const end = zero < 0 ? bytes.length : zero;
      if (end - start > 2 * WINDOW) {
        this.#look(this.#wide, bytes.subarray(from, start + WINDOW - 1), true);
        this.#wide.reset();
        from = end - WINDOW + 1;
      }
      start = end + 1;
    }
    this.#look(this.#wide, bytes.subarray(from), true);
  }

  #look(rolling: RollingHash, bytes: Uint8Array, skipZeros: boolean): void {
    const { filter } = this.#fragments;
    rolling.feed(
      bytes,
      filter,
      (hash) => {
        if (this.#rule === undefined) this.#rule = this.#fragments.at(hash, rolling.window())?.rule;
      },
      skipZeros,
    );
  }
}

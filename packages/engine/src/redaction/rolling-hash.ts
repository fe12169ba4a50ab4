/** How many bytes of a secret tell it: less may be chance, and a part of it in an index is at least so long. */
export const WINDOW = 12;

const BASE = 0x01000193;

/** BASE to the power of the window's length. */
const LEAVING = Array.from({ length: WINDOW }).reduce<number>((power) => Math.imul(power, BASE), 1);

/** Small letters for capitals, in ASCII. */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte));

/** A copy with small letters for capitals. */
export function foldBytes(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => FOLDED[byte] ?? byte);
}

/** Which hashes are worth a look: a bit for the upper bits of each. Asked for every byte, so it is as plain as can be. */
export class HashFilter {
  static readonly SHIFT = 10;
  readonly bits = new Uint8Array(1 << (32 - HashFilter.SHIFT - 3));

  add(hash: number): void {
    const bit = hash >>> HashFilter.SHIFT;
    this.bits[bit >>> 3] = (this.bits[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }

  /** One that lets everything through. */
  static all(): HashFilter {
    const filter = new HashFilter();
    filter.bits.fill(0xff);
    return filter;
  }
}

/** The hash of the last twelve bytes (Karp and Rabin, 1987), and those bytes. */
export class RollingHash {
  readonly #ring = new Uint8Array(WINDOW);
  #at = 0;
  #filled = 0;
  #hash = 0;

  /** Takes bytes as they are, and calls `visit` behind each that ends a window whose hash the filter lets through. */
  feed(bytes: Uint8Array, filter: HashFilter, visit: (hash: number, end: number) => void, skipZeros = false): void {
    const { bits } = filter;
    const ring = this.#ring;
    let hash = this.#hash;
    let at = this.#at;
    let filled = this.#filled;
    for (let index = 0; index < bytes.length; index++) {
      const byte = FOLDED[bytes[index] ?? 0] ?? 0;
      if (skipZeros && byte === 0) continue;
      const leaving = filled < WINDOW ? 0 : (ring[at] ?? 0) + 1;
      ring[at] = byte;
      at = at === WINDOW - 1 ? 0 : at + 1;
      hash = (Math.imul(hash, BASE) + byte + 1 - Math.imul(leaving, LEAVING)) | 0;
      if (filled < WINDOW && ++filled < WINDOW) continue;
      const bit = hash >>> HashFilter.SHIFT;
      if (((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) continue;
      this.#at = at;
      visit(hash >>> 0, index + 1);
    }
    this.#hash = hash;
    this.#at = at;
    this.#filled = filled;
  }

  /** Begins anew: what was before and what comes have no window together. */
  reset(): void {
    this.#filled = 0;
    this.#hash = 0;
  }

  /** The last twelve bytes, in their order; to be asked within `visit`. */
  window(): Uint8Array {
    const bytes = new Uint8Array(WINDOW);
    bytes.set(this.#ring.subarray(this.#at));
    bytes.set(this.#ring.subarray(0, this.#at), WINDOW - this.#at);
    return bytes;
  }
}

import { createHmac, randomBytes } from "node:crypto";
import { isTelling } from "./is-telling.js";
import { publicParts } from "./public-parts.js";
import { foldBytes, HashFilter, RollingHash, WINDOW } from "./rolling-hash.js";

const EVERY = HashFilter.all();

/** What a fragment is a part of. */
export interface Fragment {
  readonly rule: string;
  /** where in the secret it begins, in bytes */
  readonly offset: number;
  /** of the secret, in bytes */
  readonly length: number;
  /** keyed digest of the whole secret, folded */
  readonly whole: string;
}

/**
 * What was found, as hashes of all its fragments of twelve bytes, without regard to the case of ASCII letters. Lives in memory
 * only, and as long as one operation; no secret can be read back out of it.
 *
 * A fragment that tells nothing is none: words, few characters over and over, how public keys begin, and what stands in
 * a public key that was seen beside the private one.
 */
export class SecretFragments {
  readonly #key = randomBytes(32);
  /** by rolling hash: the fragments by their keyed digests */
  readonly #fragments = new Map<number, Map<string, Fragment>>();
  readonly #exempt = new Set<string>();
  /** tells most windows of a text at once to be none of ours */
  readonly filter = new HashFilter();
  readonly #noted = new Set<string>();
  #count = 0;

  /** How many fragments are known; grows when something new is found. */
  get size(): number {
    return this.#count;
  }

  /** Takes in a secret that a rule found. */
  note(rule: string, secret: string): void {
    const bytes = foldBytes(Buffer.from(secret, "utf8"));
    if (bytes.length < WINDOW) return;
    const whole = this.#digest(bytes);
    if (this.#noted.has(whole)) return;
    this.#noted.add(whole);
    const { length } = bytes;
    this.#eachWindow(bytes, (hash, window, offset) => {
      if (!isTelling(window)) return;
      const known = this.#fragments.get(hash) ?? new Map<string, Fragment>();
      const key = this.#digest(window);
      if (known.has(key)) return;
      this.#fragments.set(hash, known.set(key, { rule, offset, length, whole }));
      this.filter.add(hash);
      this.#count++;
    });
  }

  /** Takes note of what stands in public keys and certificates of a text: a private key holds the same. */
  spare(text: string): void {
    for (const part of publicParts(text)) {
      const bytes = foldBytes(Buffer.from(part, "utf8"));
      const digest = `public ${this.#digest(bytes)}`;
      if (this.#noted.has(digest)) continue;
      this.#noted.add(digest);
      this.#eachWindow(bytes, (_hash, window) => {
        if (isTelling(window)) this.#exempt.add(this.#digest(window));
      });
    }
  }

  /** What these twelve bytes (folded) are a part of; undefined when they are of no secret. */
  at(hash: number, window: Uint8Array): Fragment | undefined {
    const known = this.#fragments.get(hash);
    if (known === undefined) return undefined;
    const digest = this.#digest(window);
    return this.#exempt.has(digest) ? undefined : known.get(digest);
  }

  /** True when the bytes are the whole secret of which a fragment was met. */
  isWhole({ whole, length }: Fragment, bytes: Uint8Array): boolean {
    return bytes.length === length && this.#digest(foldBytes(bytes)) === whole;
  }

  #eachWindow(bytes: Uint8Array, visit: (hash: number, window: Uint8Array, offset: number) => void): void {
    new RollingHash().feed(bytes, EVERY, (hash, end) => {
      visit(hash, bytes.subarray(end - WINDOW, end), end - WINDOW);
    });
  }

  #digest(bytes: Uint8Array): string {
    return createHmac("sha256", this.#key).update(bytes).digest().toString("latin1");
  }
}

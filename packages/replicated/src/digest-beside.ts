import { digestOf } from "@keepsake/core";
import type { Group } from "./group.js";
import { digestIn, elect, isSmall } from "./small-copies.js";
import { type Copy, survey } from "./survey.js";

const SUFFIX = ".sha256";
/** How many copies are remembered to be right. */
const MAX_REMEMBERED = 1000;

/** Knows which copies are right, by the digest that lies beside an object: `<key>.sha256`, as beside a bundle. */
export class DigestsBeside {
  readonly #group: Group;
  readonly #right = new Set<string>();

  constructor(group: Group) {
    this.#group = group;
  }

  /**
   * The digest beside an object, 64 lower-case hex digits; undefined where there is none, or where it cannot be told which
   * of several is right. A record and a digest have none.
   */
  async of(key: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    if (isSmall(key)) return undefined;
    const beside = key + SUFFIX;
    const { copies } = await survey(this.#group.parts, this.#group.notes, beside, signal);
    const elected = await elect(this.#group, beside, copies, signal);
    return elected?.isDecided ? digestIn(elected.bytes) : undefined;
  }

  /** Whether a copy has this digest. Reads it whole, once: what was right and has not changed is not read again. */
  async isRight({ part, object }: Copy, sha256: string, signal: AbortSignal | undefined): Promise<boolean> {
    const name = JSON.stringify([part.name, object.key, object.sizeBytes, object.modifiedAtMs, sha256]);
    if (this.#right.has(name)) return true;
    const { body } = await part.store.get(object.key, { signal });
    if ((await digestOf(body)).sha256 !== sha256) return false;
    if (this.#right.size >= MAX_REMEMBERED) this.#right.clear();
    this.#right.add(name);
    return true;
  }
}

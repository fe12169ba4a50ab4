import { setImmediate as nextTurn } from "node:timers/promises";
import type { ObjectStore } from "./object-store.js";
import { MODE_GITLINK, MODE_TREE, parseCommit, parseTag, parseTree } from "./parse.js";

/** What a walk from some roots found. */
export interface ReachReport {
  readonly commits: number;
  /** ids that were pointed to and are not there, or damaged; the first {@link MOST_NAMED} of them */
  readonly missing: readonly string[];
  readonly missingCount: number;
}

/** How to walk. */
export interface ReachOptions {
  readonly signal?: AbortSignal | undefined;
  /** commits whose parents are left out on purpose (a shallow clone) */
  readonly shallow?: ReadonlySet<string>;
  /** Called for an object that the store lacks; true when it has it now. */
  readonly supply?: (oid: string) => boolean;
  /** True of a tree when all that it leads to is certain to be there: it is not read. */
  readonly isWhole?: (oid: string) => boolean;
}

export const MOST_NAMED = 1000;
const STEPS_A_TURN = 512;

/** One bit an object. */
class SlotSet {
  #bits = new Uint8Array(1024);

  /** @returns false when it was there already */
  add(slot: number): boolean {
    const at = slot >>> 3;
    if (at >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(at + 1, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    const bit = 1 << (slot & 7);
    const byte = this.#bits[at] ?? 0;
    if ((byte & bit) !== 0) return false;
    this.#bits[at] = byte | bit;
    return true;
  }

  has(slot: number): boolean {
    return ((this.#bits[slot >>> 3] ?? 0) & (1 << (slot & 7))) !== 0;
  }
}

/** Which objects are reachable, and which of them are missing. The content of blobs is not read. */
export class Reachability {
  readonly #store: ObjectStore;
  readonly #options: ReachOptions;
  readonly #seen = new SlotSet();
  readonly #missing = new Set<string>();
  #missingCount = 0;
  #commits = 0;

  constructor(store: ObjectStore, options: ReachOptions = {}) {
    this.#store = store;
    this.#options = options;
  }

  get report(): ReachReport {
    return { commits: this.#commits, missing: [...this.#missing], missingCount: this.#missingCount };
  }

  /** Walks from more roots; what earlier roots reached is not walked again. */
  async walk(roots: Iterable<string>): Promise<void> {
    let steps = 0;
    for (const root of roots) {
      const stack = [root];
      for (let oid = stack.pop(); oid !== undefined; oid = stack.pop()) {
        if (++steps % STEPS_A_TURN === 0) {
          await nextTurn();
          this.#options.signal?.throwIfAborted();
        }
        if (this.#visit(oid)) this.#follow(oid, stack);
      }
    }
  }

  /** True of an object that is there, and that some root leads to. */
  hasReached(oid: string): boolean {
    const slot = this.#store.slotOf(oid);
    return slot !== undefined && this.#seen.has(slot);
  }

  /** Looks whether objects are there, without following them: what an index lists may be large blobs. */
  check(oids: Iterable<string>): void {
    for (const oid of oids) this.#visit(oid);
  }

  /** @returns true when the object is there and new to the walk */
  #visit(oid: string): boolean {
    let slot = this.#store.slotOf(oid);
    if (slot === undefined && this.#options.supply?.(oid) === true) slot = this.#store.slotOf(oid);
    if (slot !== undefined) return this.#seen.add(slot);
    this.#miss(oid);
    return false;
  }

  #follow(oid: string, stack: string[]): void {
    const object = this.#store.read(oid);
    switch (object?.type) {
      case "commit": {
        const commit = parseCommit(object, this.#store.kind);
        if (commit === undefined) {
          this.#miss(oid);
          return;
        }
        this.#commits++;
        this.#pushTree(commit.tree, stack);
        if (this.#options.shallow?.has(oid) !== true) stack.push(...commit.parents);
        return;
      }
      case "tree": {
        this.#followTree(oid, object, stack);
        return;
      }
      case "tag": {
        const target = parseTag(object, this.#store.kind);
        if (target === undefined) {
          this.#miss(oid);
          return;
        }
        stack.push(target);
        return;
      }
      case "blob":
        return;
      case undefined: {
        this.#miss(oid);
        return;
      }
    }
  }

  #followTree(oid: string, object: Parameters<typeof parseTree>[0], stack: string[]): void {
    const entries = parseTree(object, this.#store.kind);
    if (entries === undefined) {
      this.#miss(oid);
      return;
    }
    for (const entry of entries) {
      const type = entry.mode & 0o170000;
      if (type === MODE_GITLINK) continue;
      if (type === MODE_TREE) this.#pushTree(entry.oid, stack);
      else this.#visit(entry.oid);
    }
  }

  #pushTree(oid: string, stack: string[]): void {
    if (this.#options.isWhole?.(oid) === true) this.#visit(oid);
    else stack.push(oid);
  }

  #miss(oid: string): void {
    if (this.#missing.has(oid)) return;
    this.#missingCount++;
    if (this.#missing.size < MOST_NAMED) this.#missing.add(oid);
  }
}

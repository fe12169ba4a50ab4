import { applyDelta } from "./delta.js";
import type { GitObject } from "./git-object.js";
import type { HashKind } from "./hash-kind.js";
import { type LooseFile, readLoose } from "./loose.js";
import { Pack } from "./pack.js";

/** Files that hold objects: loose ones by id, and packs with their index. */
export interface ObjectFiles {
  readonly loose: ReadonlyMap<string, LooseFile>;
  readonly packs: readonly { readonly pack: string; readonly index: string }[];
}

const CACHE_BYTES = 16 * 1024 * 1024;
const CACHEABLE_BYTES = 1024 * 1024;
const LONGEST_CHAIN = 10_000;

/**
 * Reads objects out of loose files and packs without loading a pack into memory. Reads are synchronous: an object is a few
 * microseconds away, and a walk over many thousands of them yields to the event loop itself.
 */
export class ObjectStore implements Disposable {
  readonly kind: HashKind;
  readonly #loose: Map<string, { readonly file: LooseFile; readonly slot: number }>;
  readonly #packs: { readonly pack: Pack; readonly file: string; readonly firstSlot: number }[] = [];
  readonly #cache = new Map<string, GitObject>();
  #cachedBytes = 0;
  #slots = 0;

  constructor(files: ObjectFiles, kind: HashKind) {
    this.kind = kind;
    for (const { pack, index } of files.packs) {
      const opened = Pack.open(pack, index, kind);
      if (opened === undefined) continue;
      this.#packs.push({ pack: opened, file: pack, firstSlot: this.#slots });
      this.#slots += opened.index.count;
    }
    this.#loose = new Map();
    for (const [oid, file] of files.loose) this.addLoose(oid, file);
  }

  /** Numbers below this are slots. Grows when loose objects are added. */
  get slots(): number {
    return this.#slots;
  }

  /** A small number for an object, unique in this store, or undefined when the store does not have it. */
  slotOf(oid: string): number | undefined {
    for (const { pack, firstSlot } of this.#packs) {
      const position = pack.index.positionOf(oid);
      if (position !== undefined) return firstSlot + position;
    }
    return this.#loose.get(oid)?.slot;
  }

  /** The file of the pack that an object is read from; undefined for one that is in none. */
  packOf(oid: string): string | undefined {
    return this.#packs.find(({ pack }) => pack.index.positionOf(oid) !== undefined)?.file;
  }

  has(oid: string): boolean {
    return this.slotOf(oid) !== undefined;
  }

  addLoose(oid: string, file: LooseFile): void {
    if (!this.#loose.has(oid)) this.#loose.set(oid, { file, slot: this.#slots++ });
  }

  /** @returns undefined when there is no such object, or when it is damaged everywhere it is */
  read(oid: string): GitObject | undefined {
    for (const [number, { pack }] of this.#packs.entries()) {
      const position = pack.index.positionOf(oid);
      if (position === undefined) continue;
      const object = this.#readPacked(number, pack, pack.index.offset(position));
      if (object !== undefined) return object;
    }
    const loose = this.#loose.get(oid);
    return loose === undefined ? undefined : readLoose(loose.file);
  }

  /** The objects of each pack in the order in which they lie in it, by the file of the pack. */
  *packs(): Generator<{ readonly file: string; readonly oids: readonly string[] }> {
    for (const { pack, file } of this.#packs) {
      const positions = Array.from({ length: pack.index.count }, (_, position) => position);
      positions.sort((a, b) => pack.index.offset(a) - pack.index.offset(b));
      yield { file, oids: positions.map((position) => pack.index.oid(position)) };
    }
  }

  /** The objects of one pack, in the order of its index. */
  *oidsIn(file: string): Generator<string> {
    const index = this.#packs.find((one) => one.file === file)?.pack.index;
    for (let position = 0; index !== undefined && position < index.count; position++) yield index.oid(position);
  }

  [Symbol.dispose](): void {
    for (const { pack } of this.#packs.splice(0)) pack.close();
    this.#loose.clear();
    this.#cache.clear();
  }

  #readPacked(number: number, pack: Pack, start: number): GitObject | undefined {
    const deltas: { readonly key: string; readonly delta: Buffer }[] = [];
    let offset = start;
    let object: GitObject | undefined;
    while (object === undefined && deltas.length < LONGEST_CHAIN) {
      const key = `${String(number)}:${String(offset)}`;
      object = this.#cache.get(key);
      if (object !== undefined) break;
      const found = pack.readAt(offset);
      if (found === undefined) return undefined;
      if (found.base === undefined) {
        object = found;
        this.#remember(key, object);
        break;
      }
      deltas.push({ key, delta: found.delta });
      const base = "offset" in found.base ? found.base.offset : offsetIn(pack, found.base.oid);
      if (base === undefined) return undefined;
      offset = base;
    }
    for (const { key, delta } of deltas.reverse()) {
      const data = object === undefined ? undefined : applyDelta(object.data, delta);
      if (object === undefined || data === undefined) return undefined;
      object = { type: object.type, data };
      this.#remember(key, object);
    }
    return object;
  }

  #remember(key: string, object: GitObject): void {
    if (object.data.length > CACHEABLE_BYTES) return;
    this.#cache.set(key, object);
    this.#cachedBytes += object.data.length;
    for (const [oldest, { data }] of this.#cache) {
      if (this.#cachedBytes <= CACHE_BYTES) break;
      this.#cache.delete(oldest);
      this.#cachedBytes -= data.length;
    }
  }
}

function offsetIn(pack: Pack, oid: string): number | undefined {
  const position = pack.index.positionOf(oid);
  return position === undefined ? undefined : pack.index.offset(position);
}

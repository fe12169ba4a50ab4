import { createHash } from "node:crypto";
import { type BigIntStats, mkdirSync, writeFileSync } from "node:fs";
import { copyFile, mkdir, open, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errnoOf, type FileContent } from "@keepsake/core";
import { attributesOf, SmallFiles, TimeSlice, writeAll } from "@keepsake/files";
import type { GitObject } from "../objects/git-object.js";
import type { HashKind } from "../objects/hash-kind.js";
import {
  copyLooseChecked,
  encodeLoose,
  isIntactLoose,
  type LooseFile,
  loosePath,
  readLooseFile,
} from "../objects/loose.js";
import type { ObjectFiles, ObjectStore } from "../objects/object-store.js";
import { looseObjects, packNames } from "../repository/scan-objects.js";
import { KnownObjects, markOf } from "./known-objects.js";

/** Files beside a pack that say how to treat it. What can be computed from the pack (`.rev`, `.bitmap`, …) is not among them. */
const COMPANIONS = [".promisor", ".keep", ".mtimes"];

/** What the system said of a file when it was copied. */
interface SeenFile {
  readonly mtimeMs: number;
  readonly mark: string | undefined;
}

/** A file of the copy, by its path below `objects`; the time matters to git's pruning of what nothing needs. */
export interface CopiedFile {
  readonly path: string;
  readonly content: FileContent;
  readonly mtimeMs: number;
  /** by which it is known again */
  readonly mark?: string;
}

/** A growing private copy of a folder `objects`. Small loose objects, which most are, have no file of their own in it. */
export class ObjectCopy implements Disposable {
  readonly #from: string;
  readonly #into: string;
  readonly #kind: HashKind;
  readonly #small: SmallFiles;
  readonly #loose = new Map<string, LooseFile>();
  readonly #packs = new Map<string, string[]>();
  readonly #stats = new Map<string, SeenFile>();
  readonly #known: KnownObjects;
  /** loose objects whose file does not hold what its name says; not in the copy */
  readonly damagedLoose = new Set<string>();
  /** packs whose checksum is wrong; in the copy as they are */
  readonly damagedPacks = new Set<string>();

  /** @param known what need not be copied */
  constructor(from: string, into: string, kind: HashKind, known = KnownObjects.NONE) {
    this.#known = known;
    this.#from = from;
    this.#into = into;
    this.#kind = kind;
    this.#small = new SmallFiles(`${into}-small`);
  }

  [Symbol.dispose](): void {
    this.#small[Symbol.dispose]();
  }

  get files(): ObjectFiles {
    const packs = [...this.#packs.keys()].map((name) => {
      const folder = this.#known.hasPack(name) ? this.#from : this.#into;
      return { pack: join(folder, "pack", `${name}.pack`), index: join(folder, "pack", `${name}.idx`) };
    });
    return { loose: this.#loose, packs };
  }

  isKnownPack(name: string): boolean {
    return this.#known.hasPack(name);
  }

  /** True of what an earlier capture brought, with all that it leads to. @param store over {@link files} */
  isKnown(oid: string, store: ObjectStore): boolean {
    if (this.#known.hasLoose(oid)) return true;
    const pack = store.packOf(oid);
    return pack !== undefined && this.#known.hasPack(basename(pack, ".pack"));
  }

  get hasPromisorPack(): boolean {
    return [...this.#packs.values()].flat().some((file) => file.endsWith(".promisor"));
  }

  /** What was copied, or is known. */
  *copied(): Generator<CopiedFile> {
    for (const [oid, file] of [...this.#loose].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const path = loosePath(oid);
      yield this.#copiedFile(path, () => (typeof file === "string" ? { file } : { bytes: file.read() }));
    }
    for (const files of this.#packs.values()) {
      for (const name of files) yield this.#copiedFile(`pack/${name}`, () => ({ file: this.#packFile(name) }));
    }
  }

  #copiedFile(path: string, content: () => FileContent): CopiedFile {
    const { mtimeMs = 0, mark } = this.#stats.get(path) ?? {};
    const isKnown = this.#known.get(path) !== undefined;
    return { path, mtimeMs, content: isKnown ? { known: true } : content(), ...(mark === undefined ? {} : { mark }) };
  }

  /**
   * Copies what the live folder has and the copy has not. Loose objects first: one that vanishes meanwhile was packed, and
   * its pack is there before it vanishes; a pack that vanishes has its successor before, too.
   *
   * @returns true when something was new or vanished: another round may find more
   */
  async round(signal?: AbortSignal): Promise<boolean> {
    let changed = false;
    const slice = new TimeSlice();
    for await (const [oid, file] of looseObjects(this.#from, this.#kind)) {
      if (this.#loose.has(oid) || this.damagedLoose.has(oid)) continue;
      if (slice.isOver) await slice.next();
      signal?.throwIfAborted();
      changed = true;
      await this.#copyLoose(oid, file, signal);
    }
    for (const name of await packNames(this.#from)) {
      if (this.#packs.has(name)) continue;
      signal?.throwIfAborted();
      changed = true;
      await this.#copyPack(name, signal);
    }
    return changed;
  }

  /** Puts an object into the copy that the live folder only borrows. */
  supply(oid: string, object: GitObject): LooseFile {
    const bytes = encodeLoose(object);
    const file = bytes.length <= SmallFiles.maxBytes ? this.#small.keep(bytes) : this.#looseFile(oid);
    if (typeof file === "string") {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, bytes, { flag: "wx", mode: 0o444 });
    }
    this.#loose.set(oid, file);
    this.#stats.set(loosePath(oid), { mtimeMs: Date.now(), mark: undefined });
    return file;
  }

  async #copyLoose(oid: string, file: string, signal: AbortSignal | undefined): Promise<void> {
    const known = this.#known.get(loosePath(oid));
    if (known !== undefined) {
      this.#loose.set(oid, file);
      this.#see(loosePath(oid), known.stats, known.mark);
      return;
    }
    try {
      const nowMs = Date.now();
      const { stats, bytes } = readLooseFile(file);
      const copy = bytes === undefined ? await this.#copyLarge(oid, file, signal) : this.#keep(oid, bytes);
      if (copy === undefined) {
        this.damagedLoose.add(oid);
        return;
      }
      this.#loose.set(oid, copy);
      this.#see(loosePath(oid), stats, markOf(stats, nowMs));
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      if (errnoOf(error) !== "EACCES") throw error;
      this.damagedLoose.add(oid);
    }
  }

  #see(path: string, stats: BigIntStats, mark: string | undefined): void {
    this.#stats.set(path, { mtimeMs: attributesOf(stats).mtimeMs, mark });
  }

  #keep(oid: string, bytes: Buffer): LooseFile | undefined {
    return isIntactLoose(bytes, oid, this.#kind) ? this.#small.keep(bytes) : undefined;
  }

  async #copyLarge(oid: string, file: string, signal: AbortSignal | undefined): Promise<LooseFile | undefined> {
    const target = this.#looseFile(oid);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    if (await copyLooseChecked(file, target, oid, this.#kind, signal)) return target;
    await unlink(target).catch(() => undefined);
    return undefined;
  }

  #looseFile(oid: string): string {
    return join(this.#into, loosePath(oid));
  }

  /** Both files are opened before either is read: an open file stays readable when a gc removes its name. */
  async #copyPack(name: string, signal: AbortSignal | undefined): Promise<void> {
    await mkdir(join(this.#into, "pack"), { recursive: true, mode: 0o700 });
    const source = (suffix: string): string => join(this.#from, "pack", `${name}${suffix}`);
    const nowMs = Date.now();
    const files = [`${name}.pack`, `${name}.idx`];
    try {
      await using index = await open(source(".idx"));
      await using pack = await open(source(".pack"));
      // What lies beside a pack is as old as the pack: that is what matters to git.
      const [packStats, indexStats] = [await pack.stat({ bigint: true }), await index.stat({ bigint: true })];
      this.#see(`pack/${name}.pack`, packStats, markOf(packStats, nowMs));
      for (const suffix of COMPANIONS) this.#see(`pack/${name}${suffix}`, packStats, undefined);
      this.#stats.set(`pack/${name}.idx`, {
        mtimeMs: attributesOf(packStats).mtimeMs,
        mark: markOf(indexStats, nowMs),
      });
      const isSound =
        this.#known.hasPack(name) ||
        ((await this.#copyHashed(pack, this.#packFile(`${name}.pack`), signal)) &&
          (await this.#copyHashed(index, this.#packFile(`${name}.idx`), signal)));
      if (!isSound) this.damagedPacks.add(name);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      throw error;
    }
    for (const suffix of COMPANIONS) {
      const copied = await copyIfThere(source(suffix), this.#packFile(`${name}${suffix}`));
      if (copied) files.push(`${name}${suffix}`);
    }
    this.#packs.set(name, files);
  }

  /** Copies a file that ends with the hash of what is before it. @returns whether the hash fits */
  async #copyHashed(
    source: { createReadStream(o: { autoClose: false; highWaterMark: number }): AsyncIterable<Buffer> },
    target: string,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const hash = createHash(this.#kind.algorithm);
    let tail = Buffer.alloc(0);
    await using output = await open(target, "wx", 0o444);
    for await (const chunk of source.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 })) {
      signal?.throwIfAborted();
      await writeAll(output, chunk);
      const pending = Buffer.concat([tail, chunk]);
      const cut = Math.max(0, pending.length - this.#kind.bytes);
      hash.update(pending.subarray(0, cut));
      tail = Buffer.from(pending.subarray(cut));
    }
    return hash.digest().equals(tail);
  }

  #packFile(name: string): string {
    return join(this.#into, "pack", name);
  }
}

async function copyIfThere(source: string, target: string): Promise<boolean> {
  try {
    await copyFile(source, target);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

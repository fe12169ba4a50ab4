import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { copyFile, mkdir, open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoOf, type FileContent } from "@keepsake/core";
import { SmallFiles, TimeSlice, writeAll } from "@keepsake/files";
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
import type { ObjectFiles } from "../objects/object-store.js";
import { looseObjects, packNames } from "../repository/scan-objects.js";

/** Files beside a pack that say how to treat it. What can be computed from the pack (`.rev`, `.bitmap`, …) is not among them. */
const COMPANIONS = [".promisor", ".keep", ".mtimes"];

/** A growing private copy of a folder `objects`. Small loose objects, which most are, have no file of their own in it. */
export class ObjectCopy implements Disposable {
  readonly #from: string;
  readonly #into: string;
  readonly #kind: HashKind;
  readonly #small: SmallFiles;
  readonly #loose = new Map<string, LooseFile>();
  readonly #packs = new Map<string, string[]>();
  readonly #times = new Map<string, number>();
  /** loose objects whose file does not hold what its name says; not in the copy */
  readonly damagedLoose = new Set<string>();
  /** packs whose checksum is wrong; in the copy as they are */
  readonly damagedPacks = new Set<string>();

  constructor(from: string, into: string, kind: HashKind) {
    this.#from = from;
    this.#into = into;
    this.#kind = kind;
    this.#small = new SmallFiles(`${into}-small`);
  }

  [Symbol.dispose](): void {
    this.#small[Symbol.dispose]();
  }

  get files(): ObjectFiles {
    const packs = [...this.#packs.keys()].map((name) => ({
      pack: this.#packFile(`${name}.pack`),
      index: this.#packFile(`${name}.idx`),
    }));
    return { loose: this.#loose, packs };
  }

  get hasPromisorPack(): boolean {
    return [...this.#packs.values()].flat().some((file) => file.endsWith(".promisor"));
  }

  /** What was copied, by path below `objects`; the time matters to git's pruning of what nothing needs. */
  *copied(): Generator<{ readonly path: string; readonly content: FileContent; readonly mtimeMs: number }> {
    for (const [oid, file] of [...this.#loose].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const content = typeof file === "string" ? { file } : { bytes: file.read() };
      yield { path: loosePath(oid), content, mtimeMs: this.#times.get(oid) ?? 0 };
    }
    for (const [pack, files] of this.#packs) {
      for (const name of files) {
        yield { path: `pack/${name}`, content: { file: this.#packFile(name) }, mtimeMs: this.#times.get(pack) ?? 0 };
      }
    }
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
    this.#times.set(oid, Date.now());
    return file;
  }

  async #copyLoose(oid: string, file: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      const { mtimeMs, bytes } = readLooseFile(file);
      const copy = bytes === undefined ? await this.#copyLarge(oid, file, signal) : this.#keep(oid, bytes);
      if (copy === undefined) {
        this.damagedLoose.add(oid);
        return;
      }
      this.#loose.set(oid, copy);
      this.#times.set(oid, mtimeMs);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      if (errnoOf(error) !== "EACCES") throw error;
      this.damagedLoose.add(oid);
    }
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
    try {
      await using index = await open(source(".idx"));
      await using pack = await open(source(".pack"));
      this.#times.set(name, (await pack.stat()).mtimeMs);
      const sound = await this.#copyHashed(pack, this.#packFile(`${name}.pack`), signal);
      if (!(await this.#copyHashed(index, this.#packFile(`${name}.idx`), signal)) || !sound)
        this.damagedPacks.add(name);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      throw error;
    }
    const files = [`${name}.pack`, `${name}.idx`];
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

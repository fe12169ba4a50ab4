import { createHash } from "node:crypto";
import { lstat, readlink } from "node:fs/promises";
import { join } from "node:path";
import {
  BundleNames,
  type CaptureSession,
  type CaptureTarget,
  errnoOf,
  fromSystemError,
  isLinkInside,
  type OmittedEntry,
  type OpOptions,
  percentEncodePath,
  plainLinkTarget,
  type SourceEntry,
} from "@keepsake/core";
import { attributesOf, joinRaw, type WalkEntry, type WalkFailure, walkTree } from "@keepsake/files";
import { inOrder } from "./in-order.js";
import type { ResolvedOptions } from "./options.js";
import { readStable, type StableFile } from "./read-stable.js";
import type { MemoryRoot } from "./root.js";
import type { Scope } from "./scope.js";
import { type Unreadable, unreadable } from "./unreadable.js";

/** So many files are read at a time: a small file's four system calls mostly wait for the thread pool. */
const LANES = 8;

/** Something of the walk that has a place in the bundle or among the omitted. */
type Found = WalkEntry | WalkFailure | { readonly type: "left_out"; readonly relative: Buffer };

/** A file read, a link's target read; undefined for what needs no reading. */
interface Reading {
  readonly found: Found;
  readonly content?: StableFile | Unreadable;
  readonly target?: Buffer | Unreadable;
}

/** One capture of a memory directory. Nothing can be held here: an unchanged fence is the proof of one moment. */
export class MemdirCapture implements CaptureSession {
  /** What is left over is nobody's claim. */
  readonly claims = [];
  readonly #root: MemoryRoot;
  readonly #scope: Scope;
  readonly #options: ResolvedOptions;
  readonly #scratch: string;
  readonly #exact: boolean;
  #copies = 0;
  #isDisposed = false;

  constructor(target: CaptureTarget, root: MemoryRoot, scope: Scope, options: ResolvedOptions) {
    this.#root = root;
    this.#scope = scope;
    this.#options = options;
    this.#scratch = target.scratchDir;
    this.#exact = target.exact ?? false;
  }

  async pin(): Promise<"fenced"> {
    return "fenced";
  }

  /** Names, inodes, sizes and times of all that would be captured. A folder's time says less than what is in it. */
  async fence({ signal }: OpOptions = {}): Promise<string> {
    const hash = createHash("sha256");
    for await (const found of this.#walk(signal)) {
      if (found.type === "left_out") continue;
      hash.update(found.relative).update(`\0${found.type}`);
      if (found.type === "failed" || found.type === "special") continue;
      const { ino, mode, size, mtimeNs, ctimeNs } = found.stats;
      if (found.type === "directory") hash.update(`\0${String(ino)}\0${String(mode)}`);
      else if (size > this.#options.maxFileBytes) hash.update("\0too large");
      else hash.update([ino, mode, size, mtimeNs, ctimeNs].map((value) => `\0${String(value)}`).join(""));
    }
    return hash.digest("hex");
  }

  async *entries({ signal }: OpOptions = {}): AsyncGenerator<SourceEntry> {
    // The scratch directory may be gone, and nothing is proved about what would be read now.
    if (this.#isDisposed) throw new TypeError("This capture is closed.");
    if (!this.#root.exists) {
      yield { type: "absent", path: this.#options.root, required: this.#options.required };
      return;
    }
    const names = new BundleNames();
    const folders: WalkEntry[] = [];
    for await (const reading of inOrder(this.#walk(signal), LANES, (found) => this.#read(found, signal))) {
      const { found } = reading;
      while (folders.length > 0 && !isBelow(found.relative, folders.at(-1))) folders.pop();
      if (found.type === "directory" && !this.#isOurs(found)) {
        // Not asked for itself: it comes along when something in it does.
        if (this.#scope.selective) folders.push(found);
        continue;
      }
      for (const folder of folders.splice(0)) yield directoryEntry(folder, names);
      yield* this.#entriesOf(reading, names);
    }
  }

  #isOurs(found: WalkEntry): boolean {
    return this.#scope.of(found.relative, found.absolute, true) === "ours";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open between calls; the scratch directory is the engine's.
    this.#isDisposed = true;
  }

  async *#walk(signal: AbortSignal | undefined): AsyncGenerator<Found> {
    if (!this.#root.exists) return;
    const leftOut: Buffer[] = [];
    const walk = walkTree(this.#root.path, {
      signal,
      onOwn: (entry) => leftOut.push(entry.relative),
      enter: (entry) => {
        const belonging = this.#scope.of(entry.relative, entry.absolute, entry.type === "directory");
        if (belonging === "excluded") leftOut.push(entry.relative);
        return (
          belonging === "ours" || (entry.type === "directory" && belonging !== "claimed" && belonging !== "excluded")
        );
      },
    });
    try {
      for await (const found of walk) {
        for (const relative of leftOut.splice(0)) yield { type: "left_out", relative };
        yield found;
      }
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      throw fromSystemError(error, `The folder ${this.#root.path} cannot be read`, { path: this.#root.path });
    }
    for (const relative of leftOut) yield { type: "left_out", relative };
  }

  async #read(found: Found, signal: AbortSignal | undefined): Promise<Reading> {
    if (found.type === "symlink") return { found, target: await this.#readLink(found) };
    if (found.type !== "file") return { found };
    const copy = join(this.#scratch, `copy-${String(this.#copies++)}`);
    const { relative, absolute } = found;
    const { maxFileBytes } = this.#options;
    return {
      found,
      content: await readStable({ relative, absolute, maxFileBytes, exact: this.#exact, copy, signal }),
    };
  }

  async #readLink(found: WalkEntry): Promise<Buffer | Unreadable> {
    try {
      const target = await readlink(found.absolute, { encoding: "buffer" });
      if (await this.#staysInside(found, target)) return target;
      return { reason: "link_outside", detail: target.toString("utf8") };
    } catch (error) {
      // No link any more.
      return errnoOf(error) === "EINVAL" ? { reason: "vanished", code: "E_NOT_FOUND" } : unreadable(error);
    }
  }

  /** Where a `..` follows a name, that name is looked at: through a link it would rise somewhere else. */
  async #staysInside({ relative }: WalkEntry, target: Buffer): Promise<boolean> {
    const suspects = new Set<string>();
    const [link, to] = [relative.toString("latin1"), target.toString("latin1")];
    if (!isLinkInside(link, to, (path) => !suspects.add(path))) return false;
    const links = new Set<string>();
    for (const path of suspects) {
      const stats = await lstat(joinRaw(this.#root.path, Buffer.from(path, "latin1"))).catch(() => undefined);
      if (stats?.isSymbolicLink() === true) links.add(path);
    }
    return isLinkInside(link, to, (path) => links.has(path));
  }

  *#entriesOf({ found, content, target }: Reading, names: BundleNames): Generator<SourceEntry> {
    switch (found.type) {
      case "left_out":
        yield omission(names, found.relative, { reason: "excluded" });
        return;
      case "failed":
        yield omission(names, found.relative, unreadable(found.error));
        return;
      case "special":
        yield omission(names, found.relative, { reason: "special_file" });
        return;
      case "directory":
        yield directoryEntry(found, names);
        return;
      case "symlink":
        if (Buffer.isBuffer(target)) yield linkEntry(found, target, names);
        else if (target !== undefined) yield omission(names, found.relative, target);
        return;
      case "file":
        if (content === undefined) return;
        if ("reason" in content) yield omission(names, found.relative, content);
        else yield { type: "file", ...names.name(found.relative), ...content };
        return;
    }
  }
}

function isBelow(relative: Buffer, folder: WalkEntry | undefined): boolean {
  if (folder === undefined) return false;
  const prefix = Buffer.concat([folder.relative, Buffer.from("/")]);
  return relative.subarray(0, prefix.length).equals(prefix);
}

function directoryEntry(found: WalkEntry, names: BundleNames): SourceEntry {
  return { type: "directory", ...names.name(found.relative), ...attributesOf(found.stats) };
}

function linkEntry(found: WalkEntry, raw: Buffer, names: BundleNames): SourceEntry {
  const plain = plainLinkTarget(raw);
  const name = names.name(found.relative, plain === undefined);
  const target = plain === undefined || name.nameEncoding === "percent" ? percentEncodePath(raw) : plain;
  return { type: "symlink", ...name, target, mtimeMs: attributesOf(found.stats).mtimeMs };
}

function omission(names: BundleNames, relative: Buffer, why: Unreadable): OmittedEntry {
  return { type: "omitted", path: names.name(relative).path, ...why };
}

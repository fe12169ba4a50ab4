import { lstat, readlink } from "node:fs/promises";
import { resolve } from "node:path";
import {
  BundleNames,
  type CaptureSession,
  type CaptureTarget,
  errnoOf,
  isLinkInside,
  type KnownFile,
  type OmittedEntry,
  type OpOptions,
  percentEncodePath,
  plainLinkTarget,
  type SourceEntry,
  type WatchedPlace,
} from "@keepsake/core";
import { attributesOf, joinRaw, type WalkEntry } from "@keepsake/files";
import type { StableFile } from "./kept-file.js";
import { MemoryLook } from "./look.js";
import type { ResolvedOptions } from "./options.js";
import { type PinnedEntry, PinnedTree } from "./pinned-tree.js";
import type { MemoryRoot } from "./root.js";
import type { Scope } from "./scope.js";
import { type Unreadable, unreadable } from "./unreadable.js";

/**
 * One capture of a memory directory. Nothing can be held here: its files are copied until what was copied is what is
 * there, and a fingerprint that has not changed since shows that all of it was so at one moment.
 */
export class MemdirCapture implements CaptureSession {
  /** What is left over is nobody's claim. */
  readonly claims = [];
  readonly watched: readonly WatchedPlace[];
  readonly #root: MemoryRoot;
  readonly #scope: Scope;
  readonly #options: ResolvedOptions;
  readonly #tree: PinnedTree;
  #isDisposed = false;

  constructor(target: CaptureTarget, root: MemoryRoot, scope: Scope, options: ResolvedOptions) {
    this.watched = [{ path: resolve(target.paths.memory, options.root), scope: "tree" }];
    this.#root = root;
    this.#scope = scope;
    this.#options = options;
    this.#tree = new PinnedTree({
      look: new MemoryLook(root, scope),
      readLink: (found) => this.#readLink(found),
      maxFileBytes: options.maxFileBytes,
      exact: target.exact ?? false,
      scratchDir: target.scratchDir,
      known: target.known ?? new Map<string, KnownFile>(),
    });
  }

  async pin({ signal }: OpOptions = {}): Promise<"held"> {
    await this.#tree.settle(signal);
    return "held";
  }

  async freshen({ withinMs }: { readonly withinMs: number }): Promise<boolean> {
    return this.#tree.freshen(withinMs);
  }

  /** What is copied stays: a later pin copies what moved. */
  async unpin(): Promise<void> {
    // Nothing is held.
  }

  pinnedFence(): string | undefined {
    return this.#tree.pinned;
  }

  async fence({ signal }: OpOptions = {}): Promise<string> {
    return this.#tree.fingerprint(signal);
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
    if (this.#tree.entries === undefined) await this.pin({ signal });
    for (const entry of this.#tree.entries ?? []) {
      signal?.throwIfAborted();
      const { found } = entry;
      while (folders.length > 0 && !isBelow(found.relative, folders.at(-1))) folders.pop();
      if (found.type === "directory" && !this.#isOurs(found)) {
        // Not asked for itself: it comes along when something in it does.
        if (this.#scope.selective) folders.push(found);
        continue;
      }
      for (const folder of folders.splice(0)) yield directoryEntry(folder, names);
      yield* this.#entriesOf(entry, names);
    }
  }

  #isOurs(found: WalkEntry): boolean {
    return this.#scope.of(found.relative, found.absolute, true) === "ours";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#tree[Symbol.dispose]();
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

  *#entriesOf({ found, content, target, mark }: PinnedEntry, names: BundleNames): Generator<SourceEntry> {
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
        else yield fileEntry(content, found.relative, names, mark);
        return;
    }
  }
}

function isBelow(relative: Buffer, folder: WalkEntry | undefined): boolean {
  if (folder === undefined) return false;
  const prefix = Buffer.concat([folder.relative, Buffer.from("/")]);
  return relative.subarray(0, prefix.length).equals(prefix);
}

function fileEntry(file: StableFile, relative: Buffer, names: BundleNames, mark: string | undefined): SourceEntry {
  const { mode, mtimeMs, facts, youngSha256 } = file;
  const { path, nameEncoding } = names.name(relative);
  const plain = { type: "file" as const, path, mode, mtimeMs, content: file.content() };
  // Of one that was just written another write might not show.
  const entry = mark === undefined || youngSha256 !== undefined ? plain : { ...plain, mark };
  if (nameEncoding === undefined && facts === undefined) return entry;
  return {
    ...entry,
    ...(nameEncoding === undefined ? {} : { nameEncoding }),
    ...(facts === undefined ? {} : { facts }),
  };
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

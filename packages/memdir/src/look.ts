import { createHash, type Hash } from "node:crypto";
import { existsSync } from "node:fs";
import { errnoOf, fromSystemError, KeepsakeError } from "@keepsake/core";
import {
  lockedHere,
  type WalkEntry,
  type WalkFailure,
  type WalkOptions,
  type WalkStats,
  walkTree,
  walkTreeSync,
} from "@keepsake/files";
import type { MemoryRoot } from "./root.js";
import type { Scope } from "./scope.js";

/** Something of a walk that has a place in the bundle or among the omitted. */
export type Found = WalkEntry | WalkFailure | { readonly type: "left_out"; readonly relative: Buffer };

/** Walks over a memory directory, and sees what this source looks after. */
export class MemoryLook {
  readonly #root: MemoryRoot;
  readonly #scope: Scope;

  constructor(root: MemoryRoot, scope: Scope) {
    this.#root = root;
    this.#scope = scope;
  }

  /** True when what was not there at first is there now. */
  get appeared(): boolean {
    return !this.#root.exists && existsSync(this.#root.path);
  }

  async *walk(signal: AbortSignal | undefined): AsyncGenerator<Found> {
    if (!this.#root.exists) return;
    const leftOut: Buffer[] = [];
    const isLocked = lockTest();
    try {
      for await (const found of walkTree(this.#root.path, { signal, ...this.#rules(leftOut) })) {
        for (const relative of leftOut.splice(0)) yield { type: "left_out", relative };
        yield isLocked(found) ? locked(found) : found;
      }
    } catch (error) {
      throw this.#failure(error);
    }
    for (const relative of leftOut) yield { type: "left_out", relative };
  }

  /** The same, at once: for a tree that is known to be small. */
  *walkNow(): Generator<Found> {
    if (!this.#root.exists) return;
    const leftOut: Buffer[] = [];
    const isLocked = lockTest();
    try {
      for (const found of walkTreeSync(this.#root.path, this.#rules(leftOut))) {
        for (const relative of leftOut.splice(0)) yield { type: "left_out", relative };
        yield isLocked(found) ? locked(found) : found;
      }
    } catch (error) {
      throw this.#failure(error);
    }
    for (const relative of leftOut) yield { type: "left_out", relative };
  }

  #rules(leftOut: Buffer[]): Required<Pick<WalkOptions, "enter" | "onOwn">> {
    return {
      onOwn: (entry: WalkEntry) => void leftOut.push(entry.relative),
      enter: (entry: WalkEntry) => {
        const isFolder = entry.type === "directory";
        const belonging = this.#scope.of(entry.relative, entry.absolute, isFolder);
        if (belonging === "excluded") leftOut.push(entry.relative);
        return belonging === "ours" || (isFolder && belonging !== "claimed" && belonging !== "excluded");
      },
    };
  }

  #failure(error: unknown): unknown {
    if (errnoOf(error) === undefined) return error;
    return fromSystemError(error, `The folder ${this.#root.path} cannot be read`, { path: this.#root.path });
  }
}

/** A test for what may not be opened here: to close it would drop the locks that an agent in this process has on it. */
function lockTest(): (found: Found) => found is WalkEntry {
  const isLocked = lockedHere();
  return (found): found is WalkEntry => found.type === "file" && isLocked(found.stats);
}

function locked({ relative, absolute }: WalkEntry): WalkFailure {
  const sentence = "This process has a lock on it: a database that no sqlite source takes.";
  return { type: "failed", relative, absolute, error: new KeepsakeError("E_SOURCE_BUSY", sentence) };
}

/** What changes when something is written or replaced; of a folder, whose time says less than what is in it, its mode. */
export function markOf(found: Found, maxFileBytes: number): string {
  if (found.type === "left_out" || found.type === "failed" || found.type === "special") return "";
  const { ino, mode, size } = found.stats;
  if (found.type === "directory") return `${String(ino)} ${String(mode)}`;
  return size > maxFileBytes ? "too large" : markOfFile(found.stats);
}

/** The same of a file that was read. */
export function markOfFile({ dev, ino, mode, size, mtimeNs, ctimeNs }: WalkStats): string {
  return `${String(dev)} ${String(ino)} ${String(mode)} ${String(size)} ${String(mtimeNs)} ${String(ctimeNs)}`;
}

/** Adds one thing to a fingerprint. What is left out may come and go. */
export function addTo(hash: Hash, found: Found, mark: string): void {
  if (found.type !== "left_out") hash.update(found.relative).update(`\0${found.type}\0${mark}\0`);
}

export function emptyFingerprint(): Hash {
  return createHash("sha256");
}

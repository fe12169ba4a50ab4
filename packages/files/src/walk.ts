import type { BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { errnoOf } from "@keepsake/core/basics";
import { type FsPath, joinRaw } from "./fs-path.js";
import { isOwnName } from "./own-names.js";

/** What the system says of something; times exact in nanoseconds, and as milliseconds for arithmetic. */
export interface WalkStats {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** Something found below a root. */
export interface WalkEntry {
  /** below the root, `/`-separated, the name's own bytes */
  readonly relative: Buffer;
  readonly absolute: FsPath;
  readonly type: "file" | "directory" | "symlink" | "special";
  readonly stats: WalkStats;
}

/** A place the walk could not look at. */
export interface WalkFailure {
  readonly relative: Buffer;
  readonly absolute: FsPath;
  readonly type: "failed";
  readonly error: unknown;
}

/** How to walk. */
export interface WalkOptions {
  readonly signal?: AbortSignal | undefined;
  /** false leaves an entry out, and for a directory all that is below it */
  readonly enter?: (entry: WalkEntry) => boolean;
  /** told of each folder and file of Keepsake's own that is left out */
  readonly onOwn?: (entry: WalkEntry) => void;
}

/** What something is, from a stat call that followed no link. */
export function entryTypeOf(stats: BigIntStats): WalkEntry["type"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "special";
}

/** The part of a stat call's answer that a walk hands on. */
export function walkStats(stats: BigIntStats): WalkStats {
  const { dev, ino, mode, uid, gid, size, mtimeNs, ctimeNs } = stats;
  return {
    ...{
      dev: Number(dev),
      ino: Number(ino),
      mode: Number(mode),
      uid: Number(uid),
      gid: Number(gid),
      size: Number(size),
    },
    ...{ mtimeMs: Number(mtimeNs / 1000n) / 1000, mtimeNs, ctimeNs },
  };
}

/** So many names are looked at together: one by one a large folder would wait for each answer. */
const BATCH = 64;

/**
 * Everything below `root`, a directory before its content, names in byte order; symbolic links are not followed, and
 * what is Keepsake's own is left out. What vanishes meanwhile is left out; what cannot be read is a failure entry.
 *
 * @throws the system error when the root itself cannot be read
 */
export async function* walkTree(root: FsPath, options: WalkOptions = {}): AsyncGenerator<WalkEntry | WalkFailure> {
  yield* walkFolder(root, Buffer.alloc(0), options);
}

async function* walkFolder(
  folder: FsPath,
  prefix: Buffer,
  options: WalkOptions,
): AsyncGenerator<WalkEntry | WalkFailure> {
  const names = await readdir(folder, { encoding: "buffer" });
  names.sort((a, b) => a.compare(b));
  for (let start = 0; start < names.length; start += BATCH) {
    const batch = names.slice(start, start + BATCH);
    for (const found of await Promise.all(batch.map((name) => inspect(folder, prefix, name)))) {
      options.signal?.throwIfAborted();
      if (found !== undefined) yield* visit(found, options);
    }
  }
}

async function* visit(found: WalkEntry | WalkFailure, options: WalkOptions): AsyncGenerator<WalkEntry | WalkFailure> {
  if (found.type === "failed") {
    yield found;
    return;
  }
  if (isOwnName(nameOf(found.relative), found.type === "directory")) {
    options.onOwn?.(found);
    return;
  }
  if (options.enter?.(found) === false) return;
  yield found;
  if (found.type === "directory") yield* enterFolder(found, options);
}

function nameOf(relative: Buffer): Buffer {
  return relative.subarray(relative.lastIndexOf(0x2f) + 1);
}

async function* enterFolder(entry: WalkEntry, options: WalkOptions): AsyncGenerator<WalkEntry | WalkFailure> {
  try {
    yield* walkFolder(entry.absolute, entry.relative, options);
  } catch (error) {
    // Only its own names' absence: an error of the consumer passes through here, too.
    if (!isOf(error, entry.absolute)) throw error;
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return;
    yield { relative: entry.relative, absolute: entry.absolute, type: "failed", error };
  }
}

/** True for a system error of `readdir` on this very folder. */
function isOf(error: unknown, folder: FsPath): boolean {
  if (errnoOf(error) === undefined) return false;
  const { syscall, path } = error as { syscall?: unknown; path?: unknown };
  const where = typeof path === "string" || Buffer.isBuffer(path) ? path.toString() : undefined;
  return syscall === "scandir" && (where === undefined || where === folder.toString());
}

async function inspect(folder: FsPath, prefix: Buffer, name: Buffer): Promise<WalkEntry | WalkFailure | undefined> {
  const absolute = joinRaw(folder, name);
  const relative = prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
  try {
    const stats = await lstat(absolute, { bigint: true });
    return { relative, absolute, type: entryTypeOf(stats), stats: walkStats(stats) };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    return { relative, absolute, type: "failed", error };
  }
}

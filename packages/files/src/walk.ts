import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { errnoOf } from "@keepsake/core";
import { type FsPath, joinRaw } from "./fs-path.js";
import { OWN_PREFIX } from "./staging-place.js";

/** Something found below a root. */
export interface WalkEntry {
  /** below the root, `/`-separated, the name's own bytes */
  readonly relative: Buffer;
  readonly absolute: FsPath;
  readonly type: "file" | "directory" | "symlink" | "special";
  readonly stats: Stats;
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
}

function typeOf(stats: Stats): WalkEntry["type"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "special";
}

/**
 * Everything below `root`, a directory before its content, names in byte order; symbolic links are not followed, and
 * names that are Keepsake's own are left out. What vanishes meanwhile is left out; what cannot be read is a failure entry.
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
  for (const name of names) {
    options.signal?.throwIfAborted();
    if (name.subarray(0, OWN_PREFIX.length).toString("latin1") === OWN_PREFIX) continue;
    const absolute = joinRaw(folder, name);
    const relative = prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
    const found = await inspect(absolute, relative);
    if (found === undefined) continue;
    if (found.type === "failed") {
      yield found;
      continue;
    }
    if (options.enter?.(found) === false) continue;
    yield found;
    if (found.type === "directory") yield* enterFolder(found, options);
  }
}

async function* enterFolder(entry: WalkEntry, options: WalkOptions): AsyncGenerator<WalkEntry | WalkFailure> {
  try {
    yield* walkFolder(entry.absolute, entry.relative, options);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    if (errnoOf(error) === undefined) throw error;
    yield { relative: entry.relative, absolute: entry.absolute, type: "failed", error };
  }
}

async function inspect(absolute: FsPath, relative: Buffer): Promise<WalkEntry | WalkFailure | undefined> {
  try {
    const stats = await lstat(absolute);
    return { relative, absolute, type: typeOf(stats), stats };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    return { relative, absolute, type: "failed", error };
  }
}

import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { errnoOf } from "@keepsake/core/basics";
import { type FsPath, joinLatin1 } from "./fs-path.js";
import { isOwnName } from "./own-names.js";
import { TimeSlice } from "./time-slice.js";

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
    dev: Number(dev),
    ino: Number(ino),
    mode: Number(mode),
    uid: Number(uid),
    gid: Number(gid),
    size: Number(size),
    mtimeMs: Number(mtimeNs / 1000n) / 1000,
    mtimeNs,
    ctimeNs,
  };
}

/**
 * Everything below `root`, a directory before its content, names in byte order; symbolic links are not followed, and
 * what is Keepsake's own is left out. What vanishes meanwhile is left out; what cannot be read is a failure entry.
 *
 * @throws the system error when the root itself cannot be read
 */
export async function* walkTree(root: FsPath, options: WalkOptions = {}): AsyncGenerator<WalkEntry | WalkFailure> {
  const slice = new TimeSlice();
  for (const found of walkTreeSync(root, options)) {
    if (slice.isOver) await slice.next();
    options.signal?.throwIfAborted();
    yield found;
  }
}

/**
 * The same without a turn of the event loop: nothing else of this process runs meanwhile. For a tree that is known to be
 * small, and looks that must be close together.
 *
 * @throws the system error when the root itself cannot be read
 */
export function* walkTreeSync(
  root: FsPath,
  options: Omit<WalkOptions, "signal"> = {},
): Generator<WalkEntry | WalkFailure> {
  const levels = [levelOf(root, "")];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const name = level.names[level.next++];
    if (name === undefined) {
      levels.pop();
      continue;
    }
    const found = inspect(level, name);
    if (found === undefined) continue;
    if (found.type === "failed") {
      yield found;
      continue;
    }
    if (isOwnName(name, found.type === "directory")) {
      options.onOwn?.(found);
      continue;
    }
    if (options.enter?.(found) === false) continue;
    yield found;
    if (found.type !== "directory") continue;
    const below = levelBelow(found);
    if ("names" in below) levels.push(below);
    else if (below.type === "failed") yield below;
  }
}

/** A folder of which the walk is in the middle. Names are bytes, each as a character (latin1): one string costs less than one buffer. */
interface Level {
  readonly absolute: FsPath;
  /** of what is in it, below the root; empty or with a slash at the end */
  readonly prefix: string;
  readonly names: readonly string[];
  next: number;
}

/** @throws the system error */
function levelOf(absolute: FsPath, prefix: string): Level {
  // The order of such characters is the order of the bytes.
  return { absolute, prefix, names: readdirSync(absolute, { encoding: "latin1" }).sort(), next: 0 };
}

function levelBelow({ relative, absolute }: WalkEntry): Level | WalkFailure | { readonly type: "gone" } {
  try {
    return levelOf(absolute, `${relative.toString("latin1")}/`);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return { type: "gone" };
    return { relative, absolute, type: "failed", error };
  }
}

function inspect({ absolute: folder, prefix }: Level, name: string): WalkEntry | WalkFailure | undefined {
  const relative = Buffer.from(`${prefix}${name}`, "latin1");
  const absolute = joinLatin1(folder, name);
  try {
    const stats = lstatSync(absolute, { bigint: true });
    return { relative, absolute, type: entryTypeOf(stats), stats: walkStats(stats) };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    return { relative, absolute, type: "failed", error };
  }
}

import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { errnoOf } from "@keepsake/core";
import { type FsPath, joinRaw } from "@keepsake/files";
import type { FileMap } from "./file-map.js";
import type { RepositoryPlace } from "./locate.js";

/** Something in a git directory that is not an object: refs, HEAD, index, reflogs, config, hooks, … */
export interface StateFile {
  /** below the git directory, the name's own bytes */
  readonly path: Buffer;
  readonly absolute: FsPath;
  readonly type: "file" | "directory" | "symlink" | "special";
  readonly stats: BigIntStats;
  /** changes when it is written or replaced */
  readonly mark: string;
}

/** The state of a git directory at a moment, or nearly. */
export interface StateListing {
  readonly files: readonly StateFile[];
  /** seen and left out: locks of commands that run, sockets */
  readonly leftOut: readonly StateFile[];
  /** Changes when anything of `files` or `leftOut` is written, made or removed. */
  readonly fingerprint: string;
  /** a lock file is there: a git command is running, or died */
  readonly busy: boolean;
}

/** Folders of a git directory that are captured in ways of their own. */
export const SEPARATE = new Set(["objects", "modules", "lfs", "annex"]);
/** What a linked worktree shares with its main repository (source: gitrepository-layout(5)). */
const SHARED =
  /^(?:packed-refs|config|description|shallow|(?:refs|logs\/refs|hooks|info|branches|remotes)(?:\/.*)?|logs)$/s;
const PER_WORKTREE = /^(?:(?:logs\/)?refs\/(?:bisect|worktree|rewritten)(?:\/.*)?|info\/sparse-checkout)$/s;
const POINTERS = new Set(["commondir", "gitdir", "locked"]);
const TRANSIENT = /(?:\.lock|^gc\.pid|^fsmonitor--daemon.*|^[^/]*\.tmp|^tmp_[^/]*)$/s;

/**
 * Lists what a repository consists of apart from its objects; of a linked worktree, what it shares and what is its own.
 *
 * Synchronous on purpose: the listing is compared with a second one, and the less happens between them the better.
 */
export function listState(place: Pick<RepositoryPlace, "gitDir" | "commonDir">): StateListing {
  const found = new Map<string, StateFile>();
  const linked = place.commonDir !== place.gitDir;
  if (linked) collect(place.commonDir, found, (path) => SHARED.test(path) && !PER_WORKTREE.test(path));
  collect(place.gitDir, found, (path) => !(linked && POINTERS.has(path)));
  const files: StateFile[] = [];
  const leftOut: StateFile[] = [];
  const marks: string[] = [];
  for (const file of [...found.values()].sort((a, b) => a.path.compare(b.path))) {
    const transient = file.type === "special" || (file.type === "file" && TRANSIENT.test(file.path.toString("latin1")));
    (transient ? leftOut : files).push(file);
    marks.push(`${file.path.toString("latin1")}\0${file.mark}`);
  }
  return { files, leftOut, fingerprint: marks.join("\n"), busy: leftOut.some((file) => file.type === "file") };
}

function collect(dir: string, into: Map<string, StateFile>, wanted: (path: string) => boolean): void {
  const visit = (folder: FsPath, prefix: Buffer): void => {
    for (const name of readdirSync(folder, { encoding: "buffer" })) {
      const path = prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
      const key = path.toString("latin1");
      if ((prefix.length === 0 && SEPARATE.has(key)) || !wanted(key)) continue;
      const absolute = joinRaw(folder, name);
      const stats = statOf(absolute);
      if (stats === undefined) continue;
      into.set(key, { path, absolute, type: typeOf(stats), stats, mark: markOf(stats) });
      if (stats.isDirectory()) visitIfThere(absolute, path);
    }
  };
  const visitIfThere = (folder: FsPath, prefix: Buffer): void => {
    try {
      visit(folder, prefix);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw error;
    }
  };
  visit(dir, Buffer.alloc(0));
}

/** A directory's own times say nothing that the list of its names does not. */
function markOf({ mode, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  const isDirectory = (mode & 0o170000n) === 0o040000n;
  return (isDirectory ? [mode, ino] : [mode, ino, size, mtimeNs, ctimeNs]).join(" ");
}

function statOf(path: FsPath): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function typeOf(stats: BigIntStats): StateFile["type"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "special";
}

/** The files of a listing by path, where they lie. */
export function fileMapOf(listing: StateListing): FileMap {
  const files = listing.files.filter((file) => file.type === "file");
  return new Map(files.map((file) => [file.path.toString("utf8"), file.absolute]));
}

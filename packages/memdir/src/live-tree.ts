import { lstat, readlink } from "node:fs/promises";
import { fromSystemError, isLinkInside, toBundlePath } from "@keepsake/core";
import { type FsPath, pathKey, pathMatcher, type WalkEntry, walkStats, walkTree } from "@keepsake/files";
import type { DesiredTree } from "./desired-tree.js";
import type { ResolvedOptions } from "./options.js";
import type { MemoryRoot } from "./root.js";
import type { Scope } from "./scope.js";

/** Something that is in the memory directory now. */
export interface LiveNode {
  readonly key: string;
  readonly relative: Buffer;
  readonly absolute: FsPath;
  readonly type: WalkEntry["type"];
  readonly stats: WalkEntry["stats"];
  /** false: left alone, unless the bundle wants something at this very path */
  readonly ours: boolean;
}

/** What is there now, and what of it a restore must not touch. */
export interface LiveTree {
  /** by key, a folder before what is in it; without what is untouchable */
  readonly nodes: ReadonlyMap<string, LiveNode>;
  /** never touched, with all below it: other sources' places, and what is to be kept */
  readonly untouchable: ReadonlyMap<string, "claimed" | "kept">;
  /** folders that hold something left alone; "claimed" when that is other sources' alone */
  readonly shelters: ReadonlyMap<string, "claimed" | "kept">;
}

/** What decides whether something is left alone. */
export interface LiveRules {
  readonly root: MemoryRoot;
  readonly scope: Scope;
  readonly options: ResolvedOptions;
  readonly desired: DesiredTree;
  readonly omitted: ReadonlySet<string>;
  /** places of other sources: free by the time the files come, or taken by a file of theirs */
  readonly others: { readonly gone: (path: FsPath) => boolean; readonly file: (path: FsPath) => boolean };
  /** false for what the restore is not of: it is left alone like what is excluded */
  readonly isSelected: (relative: Buffer, path: string) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Looks at the live directory; follows no link, and does not enter what is left alone unless the bundle has something there. */
export async function liveTree(rules: LiveRules): Promise<LiveTree> {
  const { root, scope, options, desired, omitted, others, signal } = rules;
  const nodes = new Map<string, LiveNode>();
  const untouchable = new Map<string, "claimed" | "kept">();
  const shelters = new Map<string, "claimed" | "kept">();
  const left = new Set<string>();
  const kept = pathMatcher(options.keep, { anyFolder: true });
  const wantedFolders = foldersOf(desired);

  const shelter = (key: string, by: "claimed" | "kept"): void => {
    for (let cut = key.lastIndexOf("/"); cut > 0; cut = key.lastIndexOf("/", cut - 1)) {
      const parent = key.slice(0, cut);
      if (by === "kept" || !shelters.has(parent)) shelters.set(parent, by);
    }
  };
  const shelterOf = (key: string): false => {
    shelter(key, "claimed");
    return false;
  };
  const forbid = (key: string, by: "claimed" | "kept"): false => {
    untouchable.set(key, by);
    shelter(key, by);
    return false;
  };

  const enter = (entry: WalkEntry): boolean => {
    const key = pathKey(entry.relative);
    const isFolder = entry.type === "directory";
    const belonging = scope.of(entry.relative, entry.absolute, isFolder);
    // What another source takes away is as if it were not there, where the bundle has something for its place.
    const leaves =
      belonging === "claimed" && (desired.has(key) || wantedFolders.has(key)) && others.gone(entry.absolute);
    if (leaves) return shelterOf(key);
    if (belonging === "claimed") return forbid(key, "claimed");
    if (kept(entry.relative.toString("utf8"))) return forbid(key, "kept");
    const parentLeft = left.has(key.slice(0, Math.max(0, key.lastIndexOf("/"))));
    const isLeft = belonging === "excluded" || omitted.has(key) || parentLeft;
    if (!isLeft) return true;
    left.add(key);
    if (isFolder) shelters.set(key, "kept");
    return !isFolder || wantedFolders.has(key) || note(entry, false);
  };
  const note = (entry: WalkEntry, ours: boolean): false => {
    const key = pathKey(entry.relative);
    nodes.set(key, { ...entry, key, ours });
    if (!ours) shelter(key, "kept");
    return false;
  };

  if (!root.exists) return { nodes, untouchable, shelters };
  const onOwn = (entry: WalkEntry): unknown => forbid(pathKey(entry.relative), "kept");
  try {
    for await (const found of walkTree(root.path, { signal, enter, onOwn: (entry) => void onOwn(entry) })) {
      const key = pathKey(found.relative);
      if (found.type === "failed") {
        // A folder that cannot be read: what it holds is in no snapshot, and stays.
        shelters.set(key, "kept");
        shelter(key, "kept");
        continue;
      }
      note(found, !left.has(key) && (await isOurs(found, rules)));
    }
  } catch (error) {
    throw fromSystemError(error, `The folder ${root.path} cannot be read`, { path: root.path });
  }
  return { nodes, untouchable, shelters };
}

function foldersOf(desired: DesiredTree): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const key of desired.keys()) {
    for (let cut = key.lastIndexOf("/"); cut > 0; cut = key.lastIndexOf("/", cut - 1)) folders.add(key.slice(0, cut));
  }
  return folders;
}

/** True for what a snapshot taken now would capture: only that can be brought back, so only that may go. */
async function isOurs(found: WalkEntry, rules: LiveRules): Promise<boolean> {
  return (await isCapturable(found, rules)) && rules.isSelected(found.relative, toBundlePath(found.relative).path);
}

async function isCapturable(found: WalkEntry, { scope, options }: LiveRules): Promise<boolean> {
  if (scope.of(found.relative, found.absolute, found.type === "directory") !== "ours") return false;
  if (found.type === "special") return false;
  if (found.type === "file") return found.stats.size <= options.maxFileBytes;
  if (found.type !== "symlink") return true;
  const target = await readlink(found.absolute, { encoding: "buffer" }).catch(() => undefined);
  return target !== undefined && isLinkInside(pathKey(found.relative), pathKey(target), () => false);
}

/** The root itself as a node; undefined when it is not there. */
export async function rootNode(root: MemoryRoot): Promise<LiveNode | undefined> {
  if (!root.exists) return undefined;
  const stats = walkStats(await lstat(root.path, { bigint: true }));
  return { key: "", relative: Buffer.alloc(0), absolute: root.path, type: "directory", stats, ours: true };
}

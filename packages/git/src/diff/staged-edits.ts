import type { ObjectStore } from "../objects/object-store.js";
import { MODE_TREE, parseCommit, parseTree } from "../objects/parse.js";
import { readGitFile } from "../repository/file-map.js";
import { type IndexEntry, parseIndex } from "../repository/index-file.js";
import type { BundledGitDir } from "./bundled-git-dir.js";

/**
 * What is staged and not committed: by path, the content that the index has and HEAD has not ("-" where the index has none).
 * Empty where there is no index, as in a bare repository, or where it is split and its own part says too little.
 */
export function stagedEdits({ files, refs, store }: BundledGitDir): ReadonlyMap<string, string> {
  const bytes = readGitFile(files, "index");
  const index = bytes === undefined ? undefined : parseIndex(bytes, store.kind);
  const split = [...files.keys()].some((path) => path.startsWith("sharedindex."));
  if (index === undefined || split) return new Map();
  const edits = new Map<string, string>();
  const committed = new Map<string, string>();
  const commit = refs.head.oid === undefined ? undefined : parseCommit(store.read(refs.head.oid), store.kind);
  if (commit !== undefined) flatten(store, commit.tree, "", committed);
  for (const entry of index.entries) {
    if (entry.intentToAdd) continue;
    if (entry.mode !== MODE_TREE && committed.get(entry.path) !== markOf(entry)) edits.set(entry.path, markOf(entry));
    committed.delete(entry.path);
  }
  const folders = index.entries.filter(({ mode }) => mode === MODE_TREE).map(({ path }) => path);
  for (const path of committed.keys()) {
    // A sparse index stands for whole folders.
    if (!folders.some((folder) => path.startsWith(folder))) edits.set(path, "-");
  }
  return edits;
}

function markOf({ mode, oid, stage }: IndexEntry): string {
  return `${mode.toString(8)} ${oid}${stage === 0 ? "" : " conflict"}`;
}

function flatten(store: ObjectStore, tree: string, prefix: string, into: Map<string, string>): void {
  for (const { mode, name, oid } of parseTree(store.read(tree), store.kind) ?? []) {
    const path = `${prefix}${name.toString("utf8")}`;
    if ((mode & 0o170000) === MODE_TREE) flatten(store, oid, `${path}/`, into);
    else into.set(path, `${mode.toString(8)} ${oid}`);
  }
}

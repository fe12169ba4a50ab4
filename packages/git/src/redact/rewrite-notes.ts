import { isOid } from "../objects/hash-kind.js";
import type { ObjectStore } from "../objects/object-store.js";
import type { PackWriter } from "../objects/pack-writer.js";
import { MODE_TREE, parseTree, type TreeEntry } from "../objects/parse.js";
import { encodeTree } from "./rewrite-tree.js";

/** A tree of notes as it is to be. */
export interface NotesTree {
  /** the tree and those below it, as they were */
  readonly trees: readonly string[];
  readonly isSame: boolean;
  /** Writes the new trees. @returns the id of the topmost */
  readonly write: (writer: PackWriter) => string;
}

/** A file of the tree: the folders that it lies in, and its name. */
interface Leaf {
  readonly path: readonly Buffer[];
  readonly mode: number;
  readonly oid: string;
}

/**
 * Rewrites a tree of git-notes(1): a note's path, without its slashes, is the id of what it is a note on, cut into folders of
 * two digits where there are many.
 */
export function rewriteNotesTree(root: string, store: ObjectStore, newOid: (oid: string) => string): NotesTree {
  const trees: string[] = [];
  const leaves: Leaf[] = [];
  collect(root, [], store, trees, leaves);
  const changed = leaves.map((leaf) => ({ ...leaf, oid: newOid(leaf.oid), path: renamed(leaf.path, store, newOid) }));
  const isSame = changed.every(({ path, oid }, index) => path === leaves[index]?.path && oid === leaves[index].oid);
  return { trees, isSame, write: (writer) => writeFolder(changed, 0, writer) };
}

function collect(root: string, path: readonly Buffer[], store: ObjectStore, trees: string[], leaves: Leaf[]): void {
  trees.push(root);
  for (const { mode, name, oid } of parseTree(store.read(root), store.kind) ?? []) {
    if (mode === MODE_TREE) collect(oid, [...path, name], store, trees, leaves);
    else leaves.push({ path: [...path, name], mode, oid });
  }
}

function renamed(path: readonly Buffer[], store: ObjectStore, newOid: (oid: string) => string): readonly Buffer[] {
  const annotated = Buffer.concat(path).toString("latin1");
  if (!isOid(annotated, store.kind)) return path;
  const now = newOid(annotated);
  if (now === annotated) return path;
  let at = 0;
  return path.map(({ length }) => Buffer.from(now.slice(at, (at += length)), "latin1"));
}

function writeFolder(leaves: readonly Leaf[], depth: number, writer: PackWriter): string {
  const entries: TreeEntry[] = [];
  const folders = new Map<string, Leaf[]>();
  for (const leaf of leaves) {
    const name = leaf.path[depth] ?? Buffer.alloc(0);
    if (leaf.path.length === depth + 1) {
      entries.push({ mode: leaf.mode, name, oid: leaf.oid });
      continue;
    }
    const key = name.toString("latin1");
    folders.set(key, [...(folders.get(key) ?? []), leaf]);
  }
  for (const [key, inner] of folders)
    entries.push({ mode: MODE_TREE, name: Buffer.from(key, "latin1"), oid: writeFolder(inner, depth + 1, writer) });
  return writer.add({ type: "tree", data: encodeTree(entries) });
}

import { MODE_GITLINK, MODE_TREE, type TreeEntry } from "../objects/parse.js";
import type { FileNames } from "./file-names.js";

/** A tree's bytes; its entries in git's order: a folder as if its name ended with a slash. */
export function encodeTree(entries: readonly TreeEntry[]): Buffer {
  const sorted = [...entries].sort((a, b) => sortKey(a).compare(sortKey(b)));
  return Buffer.concat(
    sorted.flatMap(({ mode, name, oid }) => [
      Buffer.from(`${mode.toString(8)} `, "latin1"),
      name,
      Buffer.from([0]),
      Buffer.from(oid, "hex"),
    ]),
  );
}

function sortKey({ mode, name }: TreeEntry): Buffer {
  return mode === MODE_TREE ? Buffer.concat([name, Buffer.from("/")]) : name;
}

/**
 * The entries with the ids and names that they have now.
 *
 * @param linked the id that a commit of another repository (a submodule) has now
 * @returns undefined when nothing changed
 */
export function rewriteEntries(
  entries: readonly TreeEntry[],
  names: FileNames,
  oidOf: (oid: string) => string,
  linked: (oid: string) => string,
): readonly TreeEntry[] | undefined {
  const renamed = names.of(entries.map(({ name }) => name));
  const changed = entries.map((entry, index) => ({
    mode: entry.mode,
    name: renamed?.[index] ?? entry.name,
    oid: entry.mode === MODE_GITLINK ? linked(entry.oid) : oidOf(entry.oid),
  }));
  const same = renamed === undefined && changed.every(({ oid }, index) => oid === entries[index]?.oid);
  return same ? undefined : changed;
}

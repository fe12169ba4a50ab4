import type { ArtifactReader } from "@keepsake/core";
import { ObjectStore } from "../objects/object-store.js";
import { type BundledRepository, bundledRepositories } from "../restore/bundle-repositories.js";
import type { FileMap } from "../repository/file-map.js";
import { readFormat } from "../repository/format.js";
import { readRefs, type Refs } from "../repository/refs.js";

/** A repository in a bundle, read where its files lie; nothing is copied. */
export interface BundledGitDir extends Disposable {
  readonly folder: string;
  readonly files: FileMap;
  readonly refs: Refs;
  readonly store: ObjectStore;
}

const LOOSE = /^objects\/([0-9a-f]{2})\/([0-9a-f]{38}|[0-9a-f]{62})$/;
const PACK_INDEX = /^objects\/pack\/[^/]+\.idx$/;

/** The repositories of a bundle, by folder; without submodules' own. */
export function readBundledGitDirs({ entries }: ArtifactReader): ReadonlyMap<string, BundledGitDir> {
  return new Map(bundledRepositories(entries).map((repository) => [repository.folder, open(repository)]));
}

function open({ folder, files: bundled }: BundledRepository): BundledGitDir {
  const files = new Map<string, string>();
  for (const { path, entry } of bundled) if (entry.file !== undefined) files.set(path, entry.file);
  const { kind } = readFormat(files);
  const loose = new Map<string, string>();
  const packs: { pack: string; index: string }[] = [];
  for (const [path, file] of files) {
    const oid = LOOSE.exec(path);
    if (oid !== null) loose.set(`${oid[1] ?? ""}${oid[2] ?? ""}`, file);
    const pack = PACK_INDEX.test(path) ? files.get(path.replace(/idx$/, "pack")) : undefined;
    if (pack !== undefined) packs.push({ pack, index: file });
  }
  const store = new ObjectStore({ loose, packs }, kind);
  return { folder, files, refs: readRefs(files, kind), store, [Symbol.dispose]: () => store[Symbol.dispose]() };
}

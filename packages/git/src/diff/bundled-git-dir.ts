import type { ArtifactReader } from "@keepsake/core";
import { type LooseFile, looseOid } from "../objects/loose.js";
import { ObjectStore } from "../objects/object-store.js";
import { type BundledRepository, bundledRepositories, looseFileOf } from "../restore/bundle-repositories.js";
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

const PACK_INDEX = /^objects\/pack\/[^/]+\.idx$/;

/** The repositories of a bundle, by folder; without submodules' own. */
export function readBundledGitDirs({ entries }: ArtifactReader): ReadonlyMap<string, BundledGitDir> {
  return new Map(bundledRepositories(entries).map((repository) => [repository.folder, open(repository)]));
}

function open({ folder, files: bundled }: BundledRepository): BundledGitDir {
  const files = new Map<string, string>();
  const loose = new Map<string, LooseFile>();
  for (const { path, entry } of bundled) {
    const oid = looseOid(path);
    const object = oid === undefined ? undefined : looseFileOf(entry);
    if (oid !== undefined && object !== undefined) loose.set(oid, object);
    else if (entry.file !== undefined) files.set(path, entry.file);
  }
  const { kind } = readFormat(files);
  const packs: { pack: string; index: string }[] = [];
  for (const [path, file] of files) {
    const pack = PACK_INDEX.test(path) ? files.get(path.replace(/idx$/, "pack")) : undefined;
    if (pack !== undefined) packs.push({ pack, index: file });
  }
  const store = new ObjectStore({ loose, packs }, kind);
  return { folder, files, refs: readRefs(files, kind), store, [Symbol.dispose]: () => store[Symbol.dispose]() };
}

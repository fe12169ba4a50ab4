import { join } from "node:path";
import { ObjectStore } from "../objects/object-store.js";
import { type FileMap, readGitText } from "./file-map.js";
import { readFormat, type RepositoryFormat } from "./format.js";
import { readRefs, type Refs } from "./refs.js";
import { alternatesOf, scanObjects } from "./scan-objects.js";
import { fileMapOf, listState, type StateListing } from "./state-files.js";

/** A git directory at rest, open for reading. */
export interface GitDir extends Disposable {
  readonly listing: StateListing;
  readonly files: FileMap;
  readonly format: RepositoryFormat;
  readonly refs: Refs;
  /** commits whose parents are left out on purpose */
  readonly shallow: ReadonlySet<string>;
  /** its objects and those that it borrows */
  readonly store: ObjectStore;
  readonly objectsDir: string;
}

/** Commits whose parents are left out on purpose. */
export function shallowCommits(files: FileMap): ReadonlySet<string> {
  return new Set((readGitText(files, "shallow") ?? "").split("\n").filter((line) => line !== ""));
}

/** Opens a git directory; of a linked worktree, its own part and the shared one. */
export async function openGitDir(place: { readonly gitDir: string; readonly commonDir: string }): Promise<GitDir> {
  const listing = listState(place);
  const files = fileMapOf(listing);
  const format = readFormat(files);
  const objectsDir = join(place.commonDir, "objects");
  const store = new ObjectStore(
    await scanObjects([objectsDir, ...(await alternatesOf(objectsDir))], format.kind),
    format.kind,
  );
  return {
    listing,
    files,
    format,
    objectsDir,
    store,
    refs: readRefs(files, format.kind),
    shallow: shallowCommits(files),
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}

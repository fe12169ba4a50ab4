import type { StagedArtifact } from "@keepsake/core";
import { looseOid } from "../objects/loose.js";
import type { ObjectFiles } from "../objects/object-store.js";

/** A staged pack: its files by suffix, ".pack" and ".idx" among them. */
export type StagedPack = ReadonlyMap<string, StagedArtifact>;

/** The files of a git directory, sorted by what they are. */
export interface StagedFiles {
  /** by object id */
  readonly loose: ReadonlyMap<string, StagedArtifact>;
  /** by the name without suffix */
  readonly packs: ReadonlyMap<string, StagedPack>;
  /** what lies among the objects and is none: computed anew, or not followed */
  readonly derived: readonly StagedArtifact[];
  /** refs, HEAD, index, reflogs, config, … by path, every byte a character */
  readonly state: ReadonlyMap<string, StagedArtifact>;
}

const IN_PACK = /^objects\/pack\/(pack-[0-9a-f]+)(\.(?:pack|idx|keep|promisor|mtimes))$/;

export function sortFiles(files: ReadonlyMap<string, StagedArtifact>): StagedFiles {
  const loose = new Map<string, StagedArtifact>();
  const packs = new Map<string, Map<string, StagedArtifact>>();
  const derived: StagedArtifact[] = [];
  const state = new Map<string, StagedArtifact>();
  for (const [path, artifact] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const oid = looseOid(path);
    const [, name, suffix] = IN_PACK.exec(path) ?? [];
    if (oid !== undefined) loose.set(oid, artifact);
    else if (name !== undefined && suffix !== undefined) {
      const pack = packs.get(name) ?? new Map<string, StagedArtifact>();
      packs.set(name, pack.set(suffix, artifact));
    } else if (path.startsWith("objects/")) derived.push(artifact);
    else state.set(path, artifact);
  }
  return { loose, packs, derived, state };
}

/** Where the objects can be read. */
export function objectFilesOf({ loose, packs }: Pick<StagedFiles, "loose" | "packs">): ObjectFiles {
  return {
    loose: new Map([...loose].map(([oid, { file }]) => [oid, file])),
    packs: [...packs.values()].flatMap((pack) => {
      const [data, index] = [pack.get(".pack"), pack.get(".idx")];
      return data === undefined || index === undefined ? [] : [{ pack: data.file, index: index.file }];
    }),
  };
}

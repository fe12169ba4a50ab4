import { percentDecodePath, type StagedArtifact } from "@keepsake/core";
import { splitBundlePath } from "../repository/bundle-layout.js";

/** The staged files of one git directory. */
export interface BundledPlace {
  /** of its files in the source's folder of the bundle; "" or ending with a slash; every byte a character */
  readonly prefix: string;
  /** the folder in the memory whose repository it is, or in whose repository it lies */
  readonly folder: string;
  /** by path below the git directory, every byte a character */
  readonly files: ReadonlyMap<string, StagedArtifact>;
}

const MODULE_HEAD = /^((?:worktrees\/[^/]+\/)?modules\/(?:[^/]+\/)*)HEAD$/;

/**
 * Sorts a source's staged files by git directory, an inner one before the outer: what the outer one says of its commits is known
 * then. A submodule's git directory is told by its HEAD beside a config.
 */
export function bundledPlaces(staged: readonly StagedArtifact[], sourceId: string): readonly BundledPlace[] {
  const byFolder = new Map<string, Map<string, StagedArtifact>>();
  for (const artifact of staged) {
    const path = artifact.pathInBundle.slice(sourceId.length + 1);
    const raw = artifact.nameEncoding === "percent" ? percentDecodePath(path) : Buffer.from(path, "utf8");
    const full = raw.toString("latin1");
    const split = splitBundlePath(full) ?? { folder: "", inner: full };
    const outer = full.slice(0, full.length - split.inner.length);
    const files = byFolder.get(outer) ?? new Map<string, StagedArtifact>();
    byFolder.set(outer, files.set(split.inner, artifact));
  }
  const places = [...byFolder].flatMap(([outer, files]) => placesIn(outer, files));
  return places.sort((a, b) => b.prefix.length - a.prefix.length || (a.prefix < b.prefix ? -1 : 1));
}

function placesIn(outer: string, files: ReadonlyMap<string, StagedArtifact>): BundledPlace[] {
  const folder = Buffer.from(splitBundlePath(`${outer}HEAD`)?.folder ?? "", "latin1").toString("utf8");
  const dirs = [...files.keys()]
    .flatMap((path) => MODULE_HEAD.exec(path)?.[1] ?? [])
    .filter((dir) => files.has(`${dir}config`) && !/\/(?:refs|logs)\//.test(dir))
    .sort((a, b) => b.length - a.length);
  const own = new Map<string, Map<string, StagedArtifact>>([["", new Map<string, StagedArtifact>()]]);
  for (const [path, artifact] of files) {
    const dir = dirs.find((one) => path.startsWith(one)) ?? "";
    const inner = own.get(dir) ?? new Map<string, StagedArtifact>();
    own.set(dir, inner.set(path.slice(dir.length), artifact));
  }
  return [...own].map(([dir, inner]) => ({ prefix: outer + dir, folder, files: inner }));
}

/**
 * Where the working tree of a git directory is in the bundle, ending with a slash.
 *
 * @param root the folder of the source's root below the memory directory
 */
export function workingTreeOf({ folder }: BundledPlace, root: string): string {
  return ["memory_files", root, folder, ""].filter((part, at) => at === 3 || (part !== "" && part !== ".")).join("/");
}

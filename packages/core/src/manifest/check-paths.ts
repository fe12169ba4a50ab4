import { KeepsakeError } from "../errors/keepsake-error.js";
import { parseArtifactPath } from "../ids/artifact-path.js";
import { isLinkInside, isPlainLinkTarget } from "../ids/link-target.js";
import { percentDecode, percentDecodePath } from "../ids/percent-path.js";
import { Spellings } from "../ids/spellings.js";
import type { ArtifactMeta } from "./schema.js";

/**
 * Refuses what could be written to another place than it names: unsafe paths, paths that some file system takes for one
 * another (folders included), paths below what is no folder, and links that lead out of their source's tree.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH`
 */
export function checkPaths(artifacts: readonly ArtifactMeta[]): void {
  const spellings = new Spellings();
  const paths = new Set<string>();
  const real = new Map<string, ArtifactMeta>();
  for (const artifact of artifacts) {
    const path = parseArtifactPath(artifact.pathInBundle);
    const name = realName(artifact);
    if (real.has(name) || paths.has(path)) throw clash(real.get(name)?.pathInBundle ?? path, path);
    paths.add(path);
    real.set(name, artifact);
    const other = spellings.take(path);
    if (other !== undefined) throw clash(other.taken, other.other);
  }
  for (const [name, artifact] of real) {
    checkParents(name, artifact, real);
    if (artifact.type === "symlink") checkLink(name, artifact, real);
  }
}

/** The path that is written in the end, as one character per byte: two spellings of one name are one. */
function realName(artifact: ArtifactMeta): string {
  const { pathInBundle, nameEncoding } = artifact;
  const raw = nameEncoding === "percent" ? percentDecodePath(pathInBundle) : Buffer.from(pathInBundle, "utf8");
  return raw.toString("latin1");
}

/** A path below a file or a link of the same bundle could be written through the link. */
function checkParents(name: string, artifact: ArtifactMeta, real: ReadonlyMap<string, ArtifactMeta>): void {
  for (let cut = name.lastIndexOf("/"); cut > 0; cut = name.lastIndexOf("/", cut - 1)) {
    const parent = real.get(name.slice(0, cut));
    if (parent === undefined || parent.type === "directory") continue;
    const path = artifact.pathInBundle;
    throw new KeepsakeError(
      "E_UNSAFE_PATH",
      `${JSON.stringify(path)} lies below ${JSON.stringify(parent.pathInBundle)}, which is no folder.`,
      { context: { path } },
    );
  }
}

function checkLink(name: string, artifact: ArtifactMeta, real: ReadonlyMap<string, ArtifactMeta>): void {
  const { linkTarget = "", nameEncoding, pathInBundle: path } = artifact;
  const plain = nameEncoding === undefined;
  const target = (plain ? Buffer.from(linkTarget, "utf8") : percentDecode(linkTarget)).toString("latin1");
  const root = name.slice(0, name.indexOf("/") + 1);
  const isLink = (at: string): boolean => real.get(root + at)?.type === "symlink";
  if ((!plain || isPlainLinkTarget(linkTarget)) && isLinkInside(name.slice(root.length), target, isLink)) return;
  throw new KeepsakeError("E_UNSAFE_PATH", `The link ${JSON.stringify(path)} leads out of its tree.`, {
    context: { path },
  });
}

function clash(first: string, second: string): KeepsakeError {
  return new KeepsakeError(
    "E_UNSAFE_PATH",
    `The bundle names ${JSON.stringify(first)} and ${JSON.stringify(second)}, which are one name on some systems.`,
    { context: { path: second } },
  );
}

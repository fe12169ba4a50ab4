import type { PathClaim } from "@keepsake/core";
import { type FsPath, parentOf, pathKey } from "./fs-path.js";

/** A test whether an absolute path is looked after by one of the claims. Byte-exact. */
export function claimTest(claims: readonly PathClaim[]): (path: FsPath) => boolean {
  const keyOf = (claim: PathClaim): string => pathKey(claim.path.length > 1 ? claim.path.replace(/\/+$/, "") : "/");
  const exact = new Set(claims.map(keyOf));
  const trees = new Set(claims.filter((claim) => claim.scope === "tree").map(keyOf));
  return (path) => exact.has(pathKey(path)) || (trees.size > 0 && isBelow(path, trees));
}

function isBelow(path: FsPath, trees: ReadonlySet<string>): boolean {
  for (let at = path; ; ) {
    if (trees.has(pathKey(at))) return true;
    const parent = parentOf(at);
    if (pathKey(parent) === pathKey(at)) return false;
    at = parent;
  }
}

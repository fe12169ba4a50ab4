import type { PathClaim } from "@keepsake/core";
import { type FsPath, pathKey } from "./fs-path.js";

/** A test whether an absolute path is looked after by one of the claims. Byte-exact. */
export function claimTest(claims: readonly PathClaim[]): (path: FsPath) => boolean {
  const keyOf = (claim: PathClaim): string => pathKey(claim.path.length > 1 ? claim.path.replace(/\/+$/, "") : "/");
  const exact = new Set(claims.map(keyOf));
  const trees = new Set(claims.filter((claim) => claim.scope === "tree").map(keyOf));
  return (path) => {
    const key = pathKey(path);
    return exact.has(key) || (trees.size > 0 && isBelow(key, trees));
  };
}

function isBelow(path: string, trees: ReadonlySet<string>): boolean {
  for (let at = path; ; at = at.slice(0, Math.max(1, at.lastIndexOf("/")))) {
    if (trees.has(at)) return true;
    if (at === "/") return false;
  }
}

import type { PathClaim } from "@keepsake/core";
import type { FsPath } from "./fs-path.js";

/** A test whether an absolute path is looked after by one of the claims. */
export function claimTest(claims: readonly PathClaim[]): (path: FsPath) => boolean {
  const exact = new Set(claims.map((claim) => claim.path));
  const trees = claims.filter((claim) => claim.scope === "tree").map((claim) => `${claim.path}/`);
  return (path) => {
    const text = path.toString();
    return exact.has(text) || trees.some((tree) => text.startsWith(tree));
  };
}

import type { PathClaim } from "@keepsake/core";
import { claimTest, type FsPath, joinRaw, pathMatcher } from "@keepsake/files";
import type { ResolvedOptions } from "./options.js";

/**
 * Whose a live path is. "claimed": another source's, with all below; "folder_claimed": another source's, but what lies
 * below may be ours; "passed": not asked for, but what lies below may be.
 */
export type Belonging = "ours" | "claimed" | "folder_claimed" | "excluded" | "passed";

/** Tells, from a path alone, whether this source looks after it. */
export interface Scope {
  /** true when `include` narrows what is captured: a folder may then hold what is not ours */
  readonly selective: boolean;
  of(relative: Buffer, absolute: FsPath, isDirectory: boolean): Belonging;
}

const PROBE = Buffer.from("x");

export function scopeOf(options: ResolvedOptions, claims: readonly PathClaim[]): Scope {
  const claimed = claimTest(claims);
  const excluded = pathMatcher(options.exclude, { anyFolder: true });
  const included = options.include === undefined ? undefined : pathMatcher(options.include, { anyFolder: true });
  return {
    selective: included !== undefined,
    of(relative, absolute, isDirectory) {
      // A folder claimed by itself alone still holds what is ours.
      if (claimed(absolute)) return isDirectory && !claimed(joinRaw(absolute, PROBE)) ? "folder_claimed" : "claimed";
      const path = relative.toString("utf8");
      if (excluded(path)) return "excluded";
      if (included === undefined || included(path)) return "ours";
      return "passed";
    },
  };
}

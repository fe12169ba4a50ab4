import { createHash } from "node:crypto";

/** Names beginning with this are Keepsake's own, beside or inside live data; see {@link isOwnName}. */
export const OWN_PREFIX = ".keepsake-";

const PREFIX = Buffer.from(OWN_PREFIX);
const PARTIAL = /^\.keepsake-[0-9a-f]{16}\.partial$/;

/** The one name for an unfinished file that is to become `name`: what a crash left of it can be found again. */
export function partialNameOf(name: string): string {
  return `${OWN_PREFIX}${createHash("sha256").update(name).digest("hex").slice(0, 16)}.partial`;
}

/**
 * True for what Keepsake itself puts among live data, and no source captures: a folder of {@link OWN_PREFIX}, and an
 * unfinished file. A user's file that merely begins so is the user's.
 */
export function isOwnName(name: Buffer, isDirectory: boolean): boolean {
  if (!name.subarray(0, PREFIX.length).equals(PREFIX)) return false;
  return isDirectory || PARTIAL.test(name.toString("latin1"));
}

import { createHash } from "node:crypto";

/** Names beginning with this are Keepsake's own, beside or inside live data; see {@link isOwnName}. */
export const OWN_PREFIX = ".keepsake-";

const PARTIAL = /^\.keepsake-[0-9a-f]{16}\.partial$/;

/** The one name for an unfinished file that is to become `name`: what a crash left of it can be found again. */
export function partialNameOf(name: string): string {
  return `${OWN_PREFIX}${createHash("sha256").update(name).digest("hex").slice(0, 16)}.partial`;
}

/**
 * True for what Keepsake itself puts among live data, and no source captures: a folder of {@link OWN_PREFIX}, and an
 * unfinished file. A user's file that merely begins so is the user's.
 *
 * @param name its bytes, or these as characters (latin1)
 */
export function isOwnName(name: string | Buffer, isDirectory: boolean): boolean {
  const text = typeof name === "string" ? name : name.toString("latin1");
  return text.startsWith(OWN_PREFIX) && (isDirectory || PARTIAL.test(text));
}

import { randomBytes } from "node:crypto";

/** Names beginning with this are Keepsake's own, beside or inside live data; see {@link isOwnName}. */
export const OWN_PREFIX = ".keepsake-";

const PREFIX = Buffer.from(OWN_PREFIX);
const PARTIAL = /^\.keepsake-[0-9a-f]{16}\.partial$/;

/** A name for an unfinished file: short, so that it fits where any other name fits, and never the same twice. */
export function ownPartialName(): string {
  return `${OWN_PREFIX}${randomBytes(8).toString("hex")}.partial`;
}

/**
 * True for what Keepsake itself puts among live data, and no source captures: a folder of {@link OWN_PREFIX}, and an
 * unfinished file. A user's file that merely begins so is the user's.
 */
export function isOwnName(name: Buffer, isDirectory: boolean): boolean {
  if (!name.subarray(0, PREFIX.length).equals(PREFIX)) return false;
  return isDirectory || PARTIAL.test(name.toString("latin1"));
}

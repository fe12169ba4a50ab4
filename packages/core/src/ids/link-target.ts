const MAX_TARGET = 16_384;
// eslint-disable-next-line no-control-regex -- control characters are what cannot travel
const NOT_PLAIN = /[\u0000-\u001f\u007f\\]|^[A-Za-z]:/;

/**
 * True when a symbolic link leads nowhere but into its own tree, whatever else the tree holds.
 *
 * A target is followed name by name from the folder of the link. It must be relative and never rise above the root. A
 * `..` after a name that is itself a link would rise from where *that* link leads, so it is refused.
 *
 * @param link   path of the link below the tree's root, `/`-separated
 * @param target what the link says
 * @param isLink whether a path below the root is a link, too
 */
export function isLinkInside(link: string, target: string, isLink: (path: string) => boolean): boolean {
  if (target === "" || target.length > MAX_TARGET || target.startsWith("/") || target.includes("\0")) return false;
  const at = link.split("/").slice(0, -1);
  for (const name of target.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") at.push(name);
    else if (at.length === 0 || isLink(at.join("/"))) return false;
    else at.pop();
  }
  return true;
}

/** A link target's bytes as text for a bundle; undefined when they have to be escaped like a path. */
export function plainLinkTarget(raw: Uint8Array): string | undefined {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString("utf8");
  return Buffer.from(text, "utf8").equals(raw) && !NOT_PLAIN.test(text) ? text : undefined;
}

/** True when a target that is not escaped means the same on every system. */
export function isPlainLinkTarget(target: string): boolean {
  return target.isWellFormed() && !NOT_PLAIN.test(target);
}

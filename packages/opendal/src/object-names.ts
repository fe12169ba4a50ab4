import { isArtifactPath, KeepsakeError, parseArtifactPath } from "@keepsake/core";

/** What this package writes beside the objects; none of it is listed. */
export const OWN_FOLDER = ".keepsake-opendal/";

/**
 * The name under which the object `key` lies. Services disagree on what a name may be, and the library trims and merges what
 * it takes for untidy: whatever is no letter, digit, `.`, `-` or `_` is written as `%HH`. Usual keys have none of it.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH` for what is no key, and for the folder of this package
 */
export function nameOf(key: string): string {
  const path = parseArtifactPath(key);
  if (`${path}/`.startsWith(OWN_FOLDER)) {
    throw new KeepsakeError("E_UNSAFE_PATH", `No object may be called ${JSON.stringify(key)}.`, {
      context: { path: key },
    });
  }
  return escaped(path);
}

/** The key of what lies under a name, or undefined when no `put` has made it. */
export function keyOf(name: string): string | undefined {
  if (name.startsWith(OWN_FOLDER)) return undefined;
  try {
    const key = decodeURIComponent(name);
    return isArtifactPath(key) && escaped(key) === name ? key : undefined;
  } catch {
    return undefined;
  }
}

/** The folder in which all keys with a prefix lie, "" for all; undefined when no key can have it. */
export function folderOf(prefix: string): string | undefined {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  if (folder === "") return "";
  return isArtifactPath(folder.slice(0, -1)) ? escaped(folder) : undefined;
}

function escaped(path: string): string {
  return encodeURIComponent(path)
    .replaceAll("%2F", "/")
    .replaceAll(/[!~*'()]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}

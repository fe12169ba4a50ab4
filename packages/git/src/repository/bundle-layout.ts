import { isArtifactPath } from "@keepsake/core";

/**
 * Where repositories lie in a source's folder of the bundle. The files of the root's git directory stand at the top
 * ("HEAD", "objects/…"); those of a repository in the folder `a/b` below "nested/a%2Fb/". No git directory has an entry
 * of that name.
 */
export const NESTED = "nested";

/** The path prefix of a repository's files. */
export function bundlePrefix(folder: string): string {
  return folder === "" ? "" : `${NESTED}/${encodeFolder(folder)}/`;
}

function encodeFolder(folder: string): string {
  return folder.replace(/[%/\\:]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

/** A bundle path as folder and path in that folder's git directory. @returns undefined when the folder is not a safe one */
export function splitBundlePath(path: string): { readonly folder: string; readonly inner: string } | undefined {
  if (!path.startsWith(`${NESTED}/`)) return { folder: "", inner: path };
  const end = path.indexOf("/", NESTED.length + 1);
  if (end < 0) return undefined;
  const encoded = path.slice(NESTED.length + 1, end);
  const folder = encoded.replace(/%(25|2F|5C|3A)/g, (_match, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  if (encodeFolder(folder) !== encoded || !isArtifactPath(folder)) return undefined;
  return { folder, inner: path.slice(end + 1) };
}

import { isAscii } from "@keepsake/core/basics";

/** A path for Node's `fs`: text, or raw bytes where a name is no UTF-8. */
export type FsPath = string | Buffer;

/** The form of an {@link FsPath} in JSON. */
export type JsonPath = string | { readonly base64: string };

/** The text of a path if it is UTF-8, else its bytes: two equal paths give the same form. */
export function normalFsPath(path: FsPath): FsPath {
  if (typeof path === "string") return path;
  const text = path.toString("utf8");
  return Buffer.from(text, "utf8").equals(path) ? text : path;
}

export function toJsonPath(path: FsPath): JsonPath {
  const normal = normalFsPath(path);
  return typeof normal === "string" ? normal : { base64: normal.toString("base64") };
}

export function fromJsonPath(path: JsonPath): FsPath {
  return typeof path === "string" ? path : Buffer.from(path.base64, "base64");
}

/** `parent/name`, byte-exact. */
export function joinRaw(parent: FsPath, name: FsPath): FsPath {
  const folder = Buffer.from(parent);
  const slash = folder.at(-1) === 0x2f ? "" : "/";
  return normalFsPath(Buffer.concat([folder, Buffer.from(slash), Buffer.from(name)]));
}

/** The same of a name whose bytes are the characters of a string, as `readdir` gives it with the encoding "latin1". */
export function joinLatin1(parent: FsPath, name: string): FsPath {
  if (typeof parent !== "string" || !isAscii(name)) return joinRaw(parent, Buffer.from(name, "latin1"));
  return parent.endsWith("/") ? `${parent}${name}` : `${parent}/${name}`;
}

/** The directory that holds `path`, byte-exact; `path` is absolute and has no trailing slash. */
export function parentOf(path: FsPath): FsPath {
  const raw = Buffer.from(path);
  const cut = raw.lastIndexOf(0x2f);
  return cut <= 0 ? "/" : normalFsPath(raw.subarray(0, cut));
}

/** One text per path, equal for equal bytes: for maps and sets. */
export function pathKey(path: FsPath): string {
  if (typeof path !== "string") return path.toString("latin1");
  return isAscii(path) ? path : Buffer.from(path).toString("latin1");
}

/** The text of a path by its {@link pathKey}, for people; what is no UTF-8 has marks in its place. */
export function textOfKey(key: string): string {
  return isAscii(key) ? key : Buffer.from(key, "latin1").toString("utf8");
}

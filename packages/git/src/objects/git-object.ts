/** The four kinds of things in a git object database. */
export type ObjectType = "commit" | "tree" | "blob" | "tag";

/** An object, unpacked. */
export interface GitObject {
  readonly type: ObjectType;
  readonly data: Buffer;
}

/** No object larger than this is unpacked in memory, in bytes; larger blobs are only ever copied as files. */
export const MAX_OBJECT_BYTES = 1024 * 1024 * 1024;

/** The bytes that are hashed for an object's id, and deflated for a loose object. */
export function withHeader({ type, data }: GitObject): Buffer {
  return Buffer.concat([Buffer.from(`${type} ${String(data.length)}\0`, "latin1"), data]);
}

/** Reads an object's header: `<type> <size>\0`. @returns undefined when it is malformed */
export function parseHeader(bytes: Buffer): { type: ObjectType; size: number; bodyAt: number } | undefined {
  const end = bytes.indexOf(0);
  if (end < 0 || end > 32) return undefined;
  const match = /^(commit|tree|blob|tag) (0|[1-9][0-9]{0,15})$/.exec(bytes.toString("latin1", 0, end));
  if (match === null) return undefined;
  return { type: match[1] as ObjectType, size: Number(match[2]), bodyAt: end + 1 };
}

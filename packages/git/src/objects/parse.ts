import type { GitObject } from "./git-object.js";
import { type HashKind, isOid } from "./hash-kind.js";

/** What a commit says; times in milliseconds since 1970. */
export interface Commit {
  readonly tree: string;
  readonly parents: readonly string[];
  /** "Name <mail>" */
  readonly author: string;
  readonly committedAtMs: number;
  /** the first paragraph of the message, in one line */
  readonly subject: string;
}

/** One name in a tree. */
export interface TreeEntry {
  readonly mode: number;
  readonly name: Buffer;
  readonly oid: string;
}

export const MODE_TREE = 0o040000;
/** A commit of another repository (a submodule): its object is not here. */
export const MODE_GITLINK = 0o160000;

/** @returns undefined when the object is no well-formed commit */
export function parseCommit(object: GitObject | undefined, kind: HashKind): Commit | undefined {
  if (object?.type !== "commit") return undefined;
  const text = object.data.toString("utf8");
  const headerEnd = text.indexOf("\n\n");
  const header = (headerEnd < 0 ? text : text.slice(0, headerEnd)).split("\n");
  const values = (key: string): string[] =>
    header.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  const tree = values("tree")[0];
  const parents = values("parent");
  if (tree === undefined || ![tree, ...parents].every((oid) => isOid(oid, kind))) return undefined;
  const author = /^(.*?>)/.exec(values("author")[0] ?? "")?.[1] ?? "";
  const seconds = Number(/> (-?\d+) /.exec(values("committer")[0] ?? "")?.[1] ?? "0");
  const message = headerEnd < 0 ? "" : text.slice(headerEnd + 2);
  return { tree, parents, author, committedAtMs: seconds * 1000, subject: subjectOf(message) };
}

/** The first paragraph of a commit message in one line, as git's `%s`. */
export function subjectOf(message: string): string {
  const paragraph = message.replace(/^\s*\n/, "").split(/\n[ \t]*\n/)[0] ?? "";
  return paragraph
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join(" ");
}

/** @returns undefined when the object is no well-formed tree */
export function parseTree(object: GitObject | undefined, kind: HashKind): readonly TreeEntry[] | undefined {
  if (object?.type !== "tree") return undefined;
  const { data } = object;
  const entries: TreeEntry[] = [];
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const end = space < 0 ? -1 : data.indexOf(0, space);
    if (end < 0 || end + 1 + kind.bytes > data.length) return undefined;
    const mode = Number.parseInt(data.toString("latin1", at, space), 8);
    if (!Number.isInteger(mode)) return undefined;
    const oid = data.toString("hex", end + 1, end + 1 + kind.bytes);
    entries.push({ mode, name: data.subarray(space + 1, end), oid });
    at = end + 1 + kind.bytes;
  }
  return entries;
}

/** The id of what an annotated tag points to. @returns undefined when the object is no well-formed tag */
export function parseTag(object: GitObject | undefined, kind: HashKind): string | undefined {
  if (object?.type !== "tag") return undefined;
  const target = /^object ([0-9a-f]+)\n/.exec(object.data.toString("latin1", 0, 128))?.[1];
  return target !== undefined && isOid(target, kind) ? target : undefined;
}

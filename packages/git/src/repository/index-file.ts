import { type HashKind, isZeroOid } from "../objects/hash-kind.js";
import { MODE_GITLINK } from "../objects/parse.js";

/** A path in the index. */
export interface IndexEntry {
  readonly path: string;
  readonly mode: number;
  readonly oid: string;
  /** 0, or 1 to 3 in a merge conflict */
  readonly stage: number;
  /** announced with `git add -N`: its object need not exist */
  readonly intentToAdd: boolean;
}

/** What an index holds. */
export interface GitIndex {
  readonly entries: readonly IndexEntry[];
  /** trees that its cache-tree extension names */
  readonly cachedTrees: readonly string[];
}

/**
 * Reads an index, versions 2 to 4 (source: git's Documentation/gitformat-index.txt). A split index gives its own part; the
 * shared part is a file of the same format.
 *
 * @returns undefined when it is malformed
 */
export function parseIndex(bytes: Buffer, kind: HashKind): GitIndex | undefined {
  try {
    return read(bytes, kind);
  } catch (error) {
    // Reading past the end of the buffer.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function read(bytes: Buffer, kind: HashKind): GitIndex | undefined {
  if (bytes.toString("latin1", 0, 4) !== "DIRC") return undefined;
  const version = bytes.readUInt32BE(4);
  if (version < 2 || version > 4) return undefined;
  const count = bytes.readUInt32BE(8);
  const entries: IndexEntry[] = [];
  let at = 12;
  let previous = Buffer.alloc(0);
  for (let number = 0; number < count; number++) {
    const start = at;
    const mode = bytes.readUInt32BE(at + 24);
    const oid = bytes.toString("hex", at + 40, at + 40 + kind.bytes);
    at += 40 + kind.bytes;
    const flags = bytes.readUInt16BE(at);
    at += 2;
    let intentToAdd = false;
    if ((flags & 0x4000) !== 0) {
      intentToAdd = (bytes.readUInt16BE(at) & 0x2000) !== 0;
      at += 2;
    }
    let keep = 0;
    if (version === 4) ({ value: keep, at } = readOffsetNumber(bytes, at));
    const end = bytes.indexOf(0, at);
    if (end < 0 || keep > previous.length) return undefined;
    const name = Buffer.concat([
      version === 4 ? previous.subarray(0, previous.length - keep) : Buffer.alloc(0),
      bytes.subarray(at, end),
    ]);
    at = version === 4 ? end + 1 : start + ((end - start + 8) & ~7);
    previous = name;
    entries.push({ path: name.toString("utf8"), mode, oid, stage: (flags >> 12) & 3, intentToAdd });
  }
  return { entries, cachedTrees: cachedTrees(bytes, at, kind) };
}

/** The variable-length number of offset deltas. */
export function readOffsetNumber(bytes: Buffer, start: number): { value: number; at: number } {
  let at = start;
  let byte = bytes.readUInt8(at++);
  let value = byte & 0x7f;
  while ((byte & 0x80) !== 0) {
    byte = bytes.readUInt8(at++);
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, at };
}

function cachedTrees(bytes: Buffer, start: number, kind: HashKind): string[] {
  const trees: string[] = [];
  const end = bytes.length - kind.bytes;
  for (let at = start; at + 8 <= end; ) {
    const signature = bytes.toString("latin1", at, at + 4);
    const size = bytes.readUInt32BE(at + 4);
    if (signature === "TREE") trees.push(...readCacheTree(bytes.subarray(at + 8, at + 8 + size), kind));
    at += 8 + size;
  }
  return trees;
}

function readCacheTree(bytes: Buffer, kind: HashKind): string[] {
  const trees: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const nameEnd = bytes.indexOf(0, at);
    const lineEnd = nameEnd < 0 ? -1 : bytes.indexOf(0x0a, nameEnd);
    if (lineEnd < 0) break;
    const entries = Number.parseInt(bytes.toString("latin1", nameEnd + 1, lineEnd), 10);
    at = lineEnd + 1;
    // A negative count marks a tree that is out of date and has no id.
    if (entries < 0) continue;
    trees.push(bytes.toString("hex", at, at + kind.bytes));
    at += kind.bytes;
  }
  return trees;
}

/** The objects that an index needs. */
export function indexedBlobs(index: GitIndex): string[] {
  return index.entries
    .filter((entry) => !entry.intentToAdd && (entry.mode & 0o170000) !== MODE_GITLINK && !isZeroOid(entry.oid))
    .map((entry) => entry.oid);
}

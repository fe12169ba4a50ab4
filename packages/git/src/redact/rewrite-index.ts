import { createHash } from "node:crypto";
import type { HashKind } from "../objects/hash-kind.js";
import { MODE_GITLINK } from "../objects/parse.js";
import { readOffsetNumber } from "../repository/index-file.js";
import type { FileNames } from "./file-names.js";

/** How an index is rewritten. */
export interface IndexContext {
  readonly kind: HashKind;
  readonly names: FileNames;
  readonly oidOf: (oid: string) => string;
  readonly linked: (oid: string) => string;
  /** the checksum that a shared index has now; undefined when it is left out */
  readonly sharedOf: (checksum: string) => string | undefined;
  /** another index counts on the places of its entries */
  readonly isShared: boolean;
}

interface Entry {
  /** times, device, owner, size: 40 bytes */
  readonly stat: Buffer;
  readonly oid: string;
  readonly flags: number;
  /** undefined when the entry has none */
  readonly extended: number | undefined;
  readonly path: Buffer;
}

const EXTENDED = 0x4000;
const STAGE = 0x3000;
const MODE_AT = 24;
/** What a reader has to understand: a split and a sparse index. The rest is caches, which hold old ids and names. */
const NEEDED = ["link", "sdir"];

/**
 * Rewrites an index, versions 2 to 4, as version 2 or 3 (source: git's Documentation/gitformat-index.txt): the ids and names that
 * the files have now. Git looks at a file whose entry changed as if it had never seen it.
 *
 * @returns undefined when it is malformed, or split and a name in it changed, whose place the other part counts on
 */
export function rewriteIndex(bytes: Buffer, context: IndexContext): Buffer | undefined {
  try {
    const { entries, extensions } = read(bytes, context.kind);
    const rewritten = rewriteEntries(entries, context);
    const isSplit = extensions.some(({ signature }) => signature === "link");
    const isRenamed = rewritten.some(({ path }, index) => path !== entries[index]?.path);
    if ((isSplit || context.isShared) && isRenamed) return undefined;
    const kept = extensions.filter(({ signature }) => NEEDED.includes(signature));
    const changed = kept.flatMap((one) => (one.signature === "link" ? relinked(one, context) : [one]));
    if (changed.length < kept.length) return undefined;
    const isSame =
      !isRenamed &&
      rewritten.every((entry, index) => entry === entries[index]) &&
      changed.every(({ data }, index) => kept[index]?.data.equals(data));
    if (isSame && kept.length === extensions.length) return bytes;
    return write(isRenamed ? sorted(rewritten) : rewritten, changed, context.kind);
  } catch (error) {
    // Reading past the end of the buffer.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

interface Extension {
  readonly signature: string;
  readonly data: Buffer;
}

function read(bytes: Buffer, kind: HashKind): { readonly entries: Entry[]; readonly extensions: Extension[] } {
  const version = bytes.readUInt32BE(4);
  if (bytes.toString("latin1", 0, 4) !== "DIRC" || version < 2 || version > 4) throw new RangeError("no index");
  const entries: Entry[] = [];
  let at = 12;
  let previous = Buffer.alloc(0);
  for (let count = bytes.readUInt32BE(8); count > 0; count--) {
    const start = at;
    const stat = bytes.subarray(at, (at += 40));
    const oid = bytes.toString("hex", at, (at += kind.bytes));
    const flags = bytes.readUInt16BE(at);
    at += 2;
    let extended: number | undefined;
    if ((flags & EXTENDED) !== 0) {
      extended = bytes.readUInt16BE(at);
      at += 2;
    }
    let dropped = 0;
    if (version === 4) ({ value: dropped, at } = readOffsetNumber(bytes, at));
    const end = bytes.indexOf(0, at);
    if (end < 0 || dropped > previous.length) throw new RangeError("cut off");
    const head = version === 4 ? previous.subarray(0, previous.length - dropped) : Buffer.alloc(0);
    const path = Buffer.concat([head, bytes.subarray(at, end)]);
    at = version === 4 ? end + 1 : start + ((end - start + 8) & ~7);
    previous = path;
    entries.push({ stat, oid, flags, extended, path });
  }
  const extensions: Extension[] = [];
  for (const end = bytes.length - kind.bytes; at + 8 <= end; ) {
    const size = bytes.readUInt32BE(at + 4);
    extensions.push({ signature: bytes.toString("latin1", at, at + 4), data: bytes.subarray(at + 8, at + 8 + size) });
    at += 8 + size;
  }
  return { entries, extensions };
}

function rewriteEntries(entries: readonly Entry[], context: IndexContext): Entry[] {
  const paths = renamedPaths(entries, context.names);
  return entries.map((entry, index) => {
    const isLink = (entry.stat.readUInt32BE(MODE_AT) & 0o170000) === MODE_GITLINK;
    const oid = isLink ? context.linked(entry.oid) : context.oidOf(entry.oid);
    const path = paths?.[index] ?? entry.path;
    if (oid === entry.oid && path === entry.path) return entry;
    // All but the mode is forgotten: what was known of the old content is not true of the new.
    const stat = Buffer.alloc(40);
    entry.stat.copy(stat, MODE_AT, MODE_AT, MODE_AT + 4);
    return { ...entry, oid, path, stat };
  });
}

/** Folder by folder, since names are numbered within one. */
function renamedPaths(entries: readonly Entry[], names: FileNames): readonly Buffer[] | undefined {
  const children = new Map<string, Set<string>>();
  for (const { path } of entries) {
    let folder = "";
    for (const name of path.toString("latin1").split("/")) {
      const known = children.get(folder) ?? new Set<string>();
      children.set(folder, known.add(name));
      folder += `${name}/`;
    }
  }
  const renamed = new Map<string, string>();
  for (const [folder, set] of children) {
    const list = [...set];
    const changed = names.of(list.map((name) => Buffer.from(name, "latin1")));
    for (const [index, name] of list.entries()) {
      const now = changed?.[index]?.toString("latin1") ?? name;
      if (now !== name) renamed.set(folder + name, now);
    }
  }
  if (renamed.size === 0) return undefined;
  return entries.map(({ path }) => {
    let old = "";
    const now = path
      .toString("latin1")
      .split("/")
      .map((name) => {
        const found = renamed.get(old + name) ?? name;
        old += `${name}/`;
        return found;
      });
    const text = now.join("/");
    return text === path.toString("latin1") ? path : Buffer.from(text, "latin1");
  });
}

function relinked({ signature, data }: Extension, { kind, sharedOf }: IndexContext): Extension[] {
  const shared = sharedOf(data.toString("hex", 0, kind.bytes));
  if (shared === undefined) return [];
  return [{ signature, data: Buffer.concat([Buffer.from(shared, "hex"), data.subarray(kind.bytes)]) }];
}

function sorted(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((a, b) => a.path.compare(b.path) || (a.flags & STAGE) - (b.flags & STAGE));
}

function write(entries: readonly Entry[], extensions: readonly Extension[], kind: HashKind): Buffer {
  const header = Buffer.alloc(12);
  header.write("DIRC", "latin1");
  header.writeUInt32BE(entries.some(({ extended }) => extended !== undefined) ? 3 : 2, 4);
  header.writeUInt32BE(entries.length, 8);
  const parts: Buffer[] = [header];
  for (const { stat, oid, flags, extended, path } of entries) {
    const length = 42 + kind.bytes + (extended === undefined ? 0 : 2) + path.length;
    const entry = Buffer.alloc((length + 8) & ~7);
    stat.copy(entry);
    entry.write(oid, 40, "hex");
    let at = entry.writeUInt16BE((flags & 0xf000) | Math.min(path.length, 0xfff), 40 + kind.bytes);
    if (extended !== undefined) at = entry.writeUInt16BE(extended, at);
    path.copy(entry, at);
    parts.push(entry);
  }
  for (const { signature, data } of extensions) {
    const head = Buffer.alloc(8);
    head.write(signature, "latin1");
    head.writeUInt32BE(data.length, 4);
    parts.push(head, data);
  }
  const body = Buffer.concat(parts);
  return Buffer.concat([body, createHash(kind.algorithm).update(body).digest()]);
}

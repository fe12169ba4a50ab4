import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { type GitObject, type ObjectType, withHeader } from "./git-object.js";
import type { HashKind } from "./hash-kind.js";

const TYPE_NUMBERS: Readonly<Record<ObjectType, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };
const READ_BYTES = 1024 * 1024;
/** Offsets from here on stand in a table of their own. */
const LARGE_OFFSET = 0x80000000;

/** Where an object lies in the pack. */
interface Place {
  readonly oid: Buffer;
  readonly crc: number;
  readonly offset: number;
}

/** A pack and its index, as files. */
export interface WrittenPack {
  /** "pack-<checksum>", without suffix */
  readonly name: string;
  readonly pack: string;
  readonly index: string;
}

/**
 * Writes objects into one pack, each whole (source: git's Documentation/gitformat-pack.txt). The same objects in the same order
 * give the same bytes. One object at a time is in memory.
 */
export class PackWriter implements Disposable {
  readonly #dir: string;
  readonly #kind: HashKind;
  readonly #places: Place[] = [];
  readonly #written = new Set<string>();
  #fd: number | undefined;
  #size = 0;

  /** @param dir a private folder; made when the first object comes */
  constructor(dir: string, kind: HashKind) {
    this.#dir = dir;
    this.#kind = kind;
  }

  /** Adds an object, unless it is in the pack. @returns its id */
  add(object: GitObject): string {
    const oid = oidOf(object, this.#kind);
    if (this.#written.has(oid)) return oid;
    this.#written.add(oid);
    const bytes = Buffer.concat([entryHeader(object), deflateSync(object.data, { level: 6 })]);
    const fd = (this.#fd ??= this.#open());
    this.#places.push({ oid: Buffer.from(oid, "hex"), crc: crc32(bytes), offset: this.#size });
    writeFully(fd, bytes, this.#size);
    this.#size += bytes.length;
    return oid;
  }

  /** Ends the pack and writes its index. @returns undefined when nothing was added */
  finish(): WrittenPack | undefined {
    const fd = this.#fd;
    if (fd === undefined) return undefined;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(this.#places.length);
    writeFully(fd, count, 8);
    const checksum = this.#checksum(fd);
    writeFully(fd, checksum, this.#size);
    this[Symbol.dispose]();
    const name = `pack-${checksum.toString("hex")}`;
    const pack = join(this.#dir, `${name}.pack`);
    renameSync(this.#partial, pack);
    const index = join(this.#dir, `${name}.idx`);
    const indexFd = openSync(index, "wx", 0o600);
    try {
      writeFully(indexFd, indexOf(this.#places, checksum, this.#kind), 0);
    } finally {
      closeSync(indexFd);
    }
    return { name, pack, index };
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  get #partial(): string {
    return join(this.#dir, "pack.partial");
  }

  #open(): number {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const fd = openSync(this.#partial, "wx+", 0o600);
    const header = Buffer.alloc(12);
    header.write("PACK", "latin1");
    header.writeUInt32BE(2, 4);
    writeFully(fd, header, 0);
    this.#size = header.length;
    return fd;
  }

  /** The number of objects stands at the beginning and is known at the end: the hash is taken in a second pass. */
  #checksum(fd: number): Buffer {
    const hash = createHash(this.#kind.algorithm);
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (let at = 0; at < this.#size; ) {
      const read = readSync(fd, buffer, 0, Math.min(buffer.length, this.#size - at), at);
      hash.update(buffer.subarray(0, read));
      at += read;
    }
    return hash.digest();
  }
}

/** The id of an object. */
export function oidOf(object: GitObject, kind: HashKind): string {
  return createHash(kind.algorithm).update(withHeader(object)).digest("hex");
}

function writeFully(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}

/** Type and size: four bits of it, then seven a byte. */
function entryHeader({ type, data }: GitObject): Buffer {
  const bytes: number[] = [];
  let byte = (TYPE_NUMBERS[type] << 4) | (data.length & 15);
  for (let rest = Math.floor(data.length / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 0x80);
    byte = rest & 0x7f;
  }
  return Buffer.from([...bytes, byte]);
}

function indexOf(places: readonly Place[], checksum: Buffer, kind: HashKind): Buffer {
  const sorted = places.toSorted((a, b) => a.oid.compare(b.oid));
  const header = Buffer.alloc(8 + 256 * 4);
  header.writeUInt32BE(0xff744f63);
  header.writeUInt32BE(2, 4);
  const counts = new Uint32Array(256);
  for (const { oid } of sorted) counts[oid[0] ?? 0] = (counts[oid[0] ?? 0] ?? 0) + 1;
  let before = 0;
  for (const [slot, count] of counts.entries()) header.writeUInt32BE((before += count), 8 + slot * 4);
  const crcs = Buffer.alloc(sorted.length * 4);
  const offsets = Buffer.alloc(sorted.length * 4);
  const large: Buffer[] = [];
  for (const [index, { crc, offset }] of sorted.entries()) {
    crcs.writeUInt32BE(crc, index * 4);
    if (offset < LARGE_OFFSET) offsets.writeUInt32BE(offset, index * 4);
    else {
      offsets.writeUInt32BE(LARGE_OFFSET + large.length, index * 4);
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(BigInt(offset));
      large.push(bytes);
    }
  }
  const body = Buffer.concat([header, ...sorted.map(({ oid }) => oid), crcs, offsets, ...large, checksum]);
  return Buffer.concat([body, createHash(kind.algorithm).update(body).digest()]);
}

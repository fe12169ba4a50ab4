import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { type GitObject, MAX_OBJECT_BYTES, type ObjectType } from "./git-object.js";
import type { HashKind } from "./hash-kind.js";
import { ENTRY_HEAD_BYTES, ID_DELTA, parseEntryHead } from "./pack-entry.js";
import { PackIndex } from "./pack-index.js";

const TYPES: Readonly<Record<number, ObjectType>> = { 1: "commit", 2: "tree", 3: "blob", 4: "tag" };

/** An object as it lies in a pack: whole, or the difference to another one. */
export type PackedObject =
  | (GitObject & { readonly base?: undefined })
  | { readonly base: { readonly offset: number } | { readonly oid: string }; readonly delta: Buffer };

/** A pack and its index, open for reading; an open pack stays readable after a gc has removed it. */
export class Pack {
  readonly index: PackIndex;
  readonly #fd: number;
  readonly #size: number;
  readonly #kind: HashKind;

  private constructor(fd: number, size: number, index: PackIndex, kind: HashKind) {
    this.#fd = fd;
    this.#size = size;
    this.index = index;
    this.#kind = kind;
  }

  /** @returns undefined when either file is missing or malformed */
  static open(packFile: string, indexFile: string, kind: HashKind): Pack | undefined {
    let fd: number | undefined;
    try {
      fd = openSync(packFile, "r");
      const index = PackIndex.parse(readFileSync(indexFile), kind);
      const header = Buffer.alloc(12);
      const read = readSync(fd, header, 0, 12, 0);
      const fits = read === 12 && header.toString("latin1", 0, 4) === "PACK" && header.readUInt32BE(8) === index?.count;
      if (fits) return new Pack(fd, fstatSync(fd).size, index, kind);
    } catch {
      // Missing or unreadable: as if it were not there.
    }
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }

  /** Reads what begins at `offset`. @returns undefined when it is damaged */
  readAt(offset: number): PackedObject | undefined {
    if (offset < 12 || offset >= this.#size) return undefined;
    const head = this.#bytes(offset, ENTRY_HEAD_BYTES);
    const { type, size, next, distance } = parseEntryHead(head);
    if (size > MAX_OBJECT_BYTES) return undefined;
    const whole = TYPES[type];
    if (whole !== undefined) {
      const data = this.#inflate(offset + next, size);
      return data === undefined ? undefined : { type: whole, data };
    }
    if (distance !== undefined) {
      const delta = this.#inflate(offset + next, size);
      return delta === undefined ? undefined : { base: { offset: offset - distance }, delta };
    }
    if (type !== ID_DELTA) return undefined;
    const oid = head.toString("hex", next, next + this.#kind.bytes);
    const delta = this.#inflate(offset + next + this.#kind.bytes, size);
    return delta === undefined ? undefined : { base: { oid }, delta };
  }

  close(): void {
    closeSync(this.#fd);
  }

  #bytes(offset: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.#size - offset)));
    let filled = 0;
    while (filled < buffer.length) {
      const read = readSync(this.#fd, buffer, filled, buffer.length - filled, offset + filled);
      if (read === 0) break;
      filled += read;
    }
    return buffer.subarray(0, filled);
  }

  #inflate(offset: number, size: number): Buffer | undefined {
    // zlib's bound for incompressible input, generously; what follows the object is ignored.
    const atMost = size + (size >>> 8) + 256;
    try {
      const data = inflateSync(this.#bytes(offset, atMost), { maxOutputLength: Math.max(size, 1) });
      return data.length === size ? data : undefined;
    } catch {
      return undefined;
    }
  }
}

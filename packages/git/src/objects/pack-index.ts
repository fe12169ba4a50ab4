import type { HashKind } from "./hash-kind.js";

const V2_MAGIC = 0xff744f63;
const FANOUT_BYTES = 1024;

/**
 * The index of a pack, versions 1 and 2 (source: git's Documentation/gitformat-pack.txt). It is held in memory whole: about
 * 28 bytes an object.
 */
export class PackIndex {
  readonly count: number;
  readonly #bytes: Buffer;
  readonly #oidBytes: number;
  readonly #version: 1 | 2;

  private constructor(bytes: Buffer, kind: HashKind, version: 1 | 2, count: number) {
    this.#bytes = bytes;
    this.#oidBytes = kind.bytes;
    this.#version = version;
    this.count = count;
  }

  /** @returns undefined when the index is malformed or cut off */
  static parse(bytes: Buffer, kind: HashKind): PackIndex | undefined {
    if (bytes.length < 8 + FANOUT_BYTES + 2 * kind.bytes) return undefined;
    const version = bytes.readUInt32BE(0) === V2_MAGIC ? 2 : 1;
    if (version === 2 && bytes.readUInt32BE(4) !== 2) return undefined;
    const fanout = version === 2 ? 8 : 0;
    let before = 0;
    for (let slot = 0; slot < 256; slot++) {
      const upTo = bytes.readUInt32BE(fanout + slot * 4);
      if (upTo < before) return undefined;
      before = upTo;
    }
    const perObject = version === 2 ? kind.bytes + 8 : kind.bytes + 4;
    if (bytes.length < fanout + FANOUT_BYTES + before * perObject + 2 * kind.bytes) return undefined;
    return new PackIndex(bytes, kind, version, before);
  }

  /** The place of an object in the sorted list of ids, or undefined when the pack does not have it. */
  positionOf(oid: string): number | undefined {
    const wanted = Buffer.from(oid, "hex");
    const first = wanted[0];
    if (first === undefined || wanted.length !== this.#oidBytes) return undefined;
    const fanout = this.#version === 2 ? 8 : 0;
    let low = first === 0 ? 0 : this.#bytes.readUInt32BE(fanout + (first - 1) * 4);
    let high = this.#bytes.readUInt32BE(fanout + first * 4);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = this.#oidAt(middle);
      const order = this.#bytes.compare(wanted, 0, wanted.length, at, at + this.#oidBytes);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  /** The id at a place of the sorted list. */
  oid(position: number): string {
    const at = this.#oidAt(position);
    return this.#bytes.toString("hex", at, at + this.#oidBytes);
  }

  /** Where in the pack the object at `position` begins, in bytes. */
  offset(position: number): number {
    if (this.#version === 1) return this.#bytes.readUInt32BE(FANOUT_BYTES + position * (4 + this.#oidBytes));
    const table = 8 + FANOUT_BYTES + this.count * (this.#oidBytes + 4);
    const small = this.#bytes.readUInt32BE(table + position * 4);
    if (small < 0x80000000) return small;
    const large = table + this.count * 4 + (small - 0x80000000) * 8;
    return large + 8 > this.#bytes.length ? -1 : Number(this.#bytes.readBigUInt64BE(large));
  }

  #oidAt(position: number): number {
    if (this.#version === 1) return FANOUT_BYTES + position * (4 + this.#oidBytes) + 4;
    return 8 + FANOUT_BYTES + position * this.#oidBytes;
  }
}

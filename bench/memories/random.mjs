/** Numbers that are the same for the same seed, on every machine. Mulberry32 (Tommy Ettinger, public domain). */
export class SeededRandom {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** @returns the next of [0, 1) */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** @returns a whole number of [0, end) */
  below(end) {
    return Math.floor(this.next() * end);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  /** Bytes that no codec makes smaller. */
  bytes(size) {
    const bytes = Buffer.allocUnsafe(size);
    for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE(this.below(0x1_0000_0000), at);
    for (let at = size & ~3; at < size; at++) bytes[at] = this.below(256);
    return bytes;
  }

  /** The numbers of an embedding: float32, of unit length. */
  embedding(dimensions) {
    const values = Float32Array.from({ length: dimensions }, () => this.next() + this.next() + this.next() - 1.5);
    const length = Math.hypot(...values);
    return Buffer.from(values.map((value) => value / length).buffer);
  }
}

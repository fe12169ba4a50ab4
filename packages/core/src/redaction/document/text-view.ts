/** A range of the original text. `isBare` = it is a literal outside quotes: what stands instead needs quotes. */
export interface OriginalRange {
  readonly start: number;
  readonly end: number;
  readonly isBare: boolean;
}

/**
 * A text made of pieces of another one, some of them decoded, with words between that stand nowhere. It knows for each of
 * its ranges where that is in the original.
 */
export class TextView {
  readonly #parts: string[] = [];
  // Of each piece: where it begins here; where in the original, -1 for words between; its length there; 1 if bare.
  readonly #at: number[] = [];
  readonly #original: number[] = [];
  readonly #originalLength: number[] = [];
  readonly #bare: boolean[] = [];
  #length = 0;
  #text: string | undefined;

  get length(): number {
    return this.#length;
  }

  get text(): string {
    return (this.#text ??= this.#parts.join(""));
  }

  /** Adds words that stand nowhere in the original. */
  say(words: string): void {
    this.#add(words, -1, 0, false);
  }

  /** Adds a piece of the original; `decoded` where its characters stand for others there. */
  take(original: string, start: number, end: number, decoded?: string, isBare = false): void {
    if (start === end) return;
    this.#add(decoded ?? original.slice(start, end), start, end - start, isBare);
  }

  /** What {@link back} returns to. */
  mark(): readonly [parts: number, pieces: number, length: number] {
    return [this.#parts.length, this.#at.length, this.#length];
  }

  /** Takes back what was added since the mark. */
  back([parts, pieces, length]: ReturnType<TextView["mark"]>): void {
    this.#parts.length = parts;
    for (const list of [this.#at, this.#original, this.#originalLength, this.#bare]) list.length = pieces;
    this.#length = length;
    this.#text = undefined;
  }

  /** Where a range of this text is in the original: several ranges, where it reaches over several pieces that are apart there. */
  originals(start: number, end: number): OriginalRange[] {
    const ranges: { start: number; end: number; isBare: boolean }[] = [];
    for (let index = this.#pieceAt(start); index < this.#at.length; index++) {
      const at = this.#at[index] ?? 0;
      if (at >= end) break;
      const from = this.#original[index] ?? -1;
      if (from < 0) continue;
      const length = (this.#at[index + 1] ?? this.#length) - at;
      const originalLength = this.#originalLength[index] ?? 0;
      const isBare = this.#bare[index] ?? false;
      // A piece of the same length is the original itself; of any other one, what it stands for is taken whole.
      const isSame = length === originalLength && !isBare;
      const first = isSame ? from + Math.max(0, start - at) : from;
      const last = isSame ? from + Math.min(length, end - at) : from + originalLength;
      const previous = ranges.at(-1);
      if (previous !== undefined && previous.end === first) previous.end = last;
      else if (last > first) ranges.push({ start: first, end: last, isBare });
    }
    return ranges;
  }

  #add(text: string, original: number, originalLength: number, isBare: boolean): void {
    if (text === "") return;
    this.#parts.push(text);
    this.#at.push(this.#length);
    this.#original.push(original);
    this.#originalLength.push(originalLength);
    this.#bare.push(isBare);
    this.#length += text.length;
    this.#text = undefined;
  }

  #pieceAt(position: number): number {
    let low = 0;
    let high = this.#at.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#at[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }
}

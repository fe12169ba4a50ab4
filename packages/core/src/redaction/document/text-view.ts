/** A range of the original text. `isBare` = it is a literal outside quotes: what stands instead needs quotes. */
export interface OriginalRange {
  readonly start: number;
  readonly end: number;
  readonly isBare: boolean;
}

/** Numbers of one piece: where it begins in the view, its length there, where it begins in the original, its length there. */
const PIECE = 4;

/**
 * A text made of pieces of another one, some of them decoded, with words between that stand nowhere. It knows for each of
 * its ranges where that is in the original.
 */
export class TextView {
  #text = "";
  // All pieces one after the other, in one array of numbers: there may be millions. A bare one has its length negated.
  #pieces = new Int32Array(64 * PIECE);
  #count = 0;
  #isLineOpen = false;

  get text(): string {
    return this.#text;
  }

  /** Adds words that stand nowhere in the original. */
  say(words: string): void {
    this.#text += words;
    this.#isLineOpen = true;
  }

  /** Ends the line, if something stands in it: of a vector of numbers nothing does. */
  endLine(): void {
    if (this.#isLineOpen) this.#text += "\n";
    this.#isLineOpen = false;
  }

  /** Adds a piece of the original; `decoded` where its characters stand for others there. */
  take(original: string, start: number, end: number, decoded?: string, isBare = false): void {
    if (start === end) return;
    this.#isLineOpen = true;
    const text = decoded ?? original.slice(start, end);
    if (this.#count * PIECE === this.#pieces.length) {
      const larger = new Int32Array(this.#pieces.length * 2);
      larger.set(this.#pieces);
      this.#pieces = larger;
    }
    const index = this.#count++ * PIECE;
    this.#pieces[index] = this.#text.length;
    this.#pieces[index + 1] = text.length;
    this.#pieces[index + 2] = start;
    this.#pieces[index + 3] = isBare ? start - end : end - start;
    this.#text += text;
  }

  /** What {@link back} returns to. */
  mark(): readonly [pieces: number, length: number] {
    return [this.#count, this.#text.length];
  }

  /** Takes back what was added since the mark. */
  back([pieces, length]: ReturnType<TextView["mark"]>): void {
    this.#count = pieces;
    this.#isLineOpen = true;
    this.#text = this.#text.slice(0, length);
  }

  /** Where a range of this text is in the original: several ranges, where it reaches over several pieces that are apart there. */
  originals(start: number, end: number): OriginalRange[] {
    const ranges: { start: number; end: number; isBare: boolean }[] = [];
    for (let index = this.#pieceAt(start); index < this.#count; index++) {
      const [at = 0, length = 0, from = 0, signedLength = 0] = this.#pieces.subarray(
        index * PIECE,
        (index + 1) * PIECE,
      );
      if (at >= end) break;
      if (at + length <= start) continue;
      const isBare = signedLength < 0;
      const originalLength = Math.abs(signedLength);
      // A piece of the same length is the original itself; of any other one, what it stands for is taken whole.
      const isSame = length === originalLength && !isBare;
      const first = isSame ? from + Math.max(0, start - at) : from;
      const last = isSame ? from + Math.min(length, end - at) : from + originalLength;
      const previous = ranges.at(-1);
      if (previous?.end === first) previous.end = last;
      else ranges.push({ start: first, end: last, isBare });
    }
    return ranges;
  }

  #pieceAt(position: number): number {
    let low = 0;
    let high = this.#count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#pieces[middle * PIECE] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }
}

import {
  type ByteRange,
  type Codec,
  collectBytes,
  type FrameSize,
  KeepsakeError,
  type OpOptions,
  type RangedBytes,
} from "@keepsake/core";

/** So much is read of the end at first: mostly the whole index is in it, in bytes. */
const END_BYTES = 16 * 1024;
/** An index of more than this is not read for the sake of a part, in bytes. */
const MAX_INDEX_BYTES = 16 * 1024 * 1024;

/** One frame: where it lies among the encoded bytes, and what it holds of the content. */
interface Frame {
  readonly encoded: ByteRange;
  readonly content: ByteRange;
}

/** The content of a codec's frames, of which only those are read and decoded that hold what is wanted. */
export class FramedContent {
  readonly #encoded: RangedBytes;
  readonly #codec: Codec;
  readonly #frames: readonly Frame[];
  /** as the index has it */
  readonly sizeBytes: number;

  private constructor(encoded: RangedBytes, codec: Codec, frames: readonly Frame[]) {
    this.#encoded = encoded;
    this.#codec = codec;
    this.#frames = frames;
    this.sizeBytes = endOf(frames.at(-1)?.content);
  }

  /**
   * @returns undefined when nothing tells where the frames lie
   * @throws KeepsakeError `E_INTEGRITY` when the index is malformed, `E_LIMIT` when it is too large; what reading throws
   */
  static async open(encoded: RangedBytes, codec: Codec, options: OpOptions): Promise<FramedContent | undefined> {
    const { frames: framed } = codec;
    const sizes = await framed?.readIndex(endReader(encoded, options));
    if (framed === undefined || sizes === undefined) return undefined;
    const frames = framesOf(sizes);
    // Something else may lie between the frames of another maker.
    if (endOf(frames.at(-1)?.encoded) + framed.index(sizes).length !== encoded.sizeBytes) return undefined;
    return new FramedContent(encoded, codec, frames);
  }

  /**
   * The first piece of it that was framed by itself, at least: a piece fills its frames but the last one. More is not asked for,
   * so that nothing behind it is read in advance.
   */
  head(options: OpOptions): AsyncGenerator<Uint8Array> {
    const full = this.#frames.reduce((most, { content }) => Math.max(most, content.length), 0);
    const last = this.#frames.find(({ content }) => content.length < full) ?? this.#frames.at(-1);
    return this.read([{ start: 0, length: endOf(last?.content) }], options);
  }

  /** The bytes of these ranges one after the other. @param ranges in order; none is empty or reaches into another */
  async *read(ranges: readonly ByteRange[], options: OpOptions): AsyncGenerator<Uint8Array> {
    const left = [...ranges].reverse();
    for (const run of this.#runsWith(ranges)) {
      let at = run[0]?.content.start ?? 0;
      for await (const chunk of this.#decode(run, options)) {
        const end = at + chunk.length;
        for (let next = left.at(-1); next !== undefined && next.start < end; next = left.at(-1)) {
          yield chunk.subarray(Math.max(0, next.start - at), endOf(next) - at);
          if (endOf(next) > end) break;
          left.pop();
        }
        at = end;
      }
    }
  }

  /** The frames that hold something of these ranges, those together that lie one behind the other. */
  *#runsWith(ranges: readonly ByteRange[]): Generator<readonly Frame[]> {
    let run: Frame[] = [];
    let index = 0;
    for (const frame of this.#frames) {
      const { content } = frame;
      for (let next = ranges[index]; next !== undefined && endOf(next) <= content.start; next = ranges[index]) index++;
      const next = ranges[index];
      if (next !== undefined && content.length > 0 && next.start < endOf(content)) {
        run.push(frame);
      } else if (run.length > 0) {
        yield run;
        run = [];
      }
    }
    if (run.length > 0) yield run;
  }

  /** What frames hold that lie one behind the other: exactly so much as the index says. */
  async *#decode(run: readonly Frame[], { signal }: OpOptions): AsyncGenerator<Uint8Array> {
    const start = run[0]?.encoded.start ?? 0;
    const encoded = this.#encoded.read({ start, length: endOf(run.at(-1)?.encoded) - start }, { signal });
    const maxOutputBytes = endOf(run.at(-1)?.content) - (run[0]?.content.start ?? 0);
    let decoded = 0;
    for await (const chunk of this.#codec.decode(encoded, { maxOutputBytes, signal })) {
      decoded += chunk.length;
      yield chunk;
    }
    if (decoded === maxOutputBytes) return;
    throw new KeepsakeError("E_INTEGRITY", "The frames of the bundle do not hold what its index says.");
  }
}

function framesOf(sizes: readonly FrameSize[]): readonly Frame[] {
  const at = { encoded: 0, content: 0 };
  return sizes.map(({ encodedBytes, contentBytes }) => {
    const encoded = { start: at.encoded, length: encodedBytes };
    const content = { start: at.content, length: contentBytes };
    at.encoded += encodedBytes;
    at.content += contentBytes;
    return { encoded, content };
  });
}

/** Where a range ends; 0 of none. */
function endOf(range: ByteRange | undefined): number {
  return range === undefined ? 0 : range.start + range.length;
}

/** Gives the last bytes, and reads them once. */
function endReader(bytes: RangedBytes, options: OpOptions): (count: number) => Promise<Uint8Array> {
  let end: Uint8Array = new Uint8Array(0);
  return async (count) => {
    const wanted = Math.min(count, bytes.sizeBytes);
    if (wanted > MAX_INDEX_BYTES) {
      throw new KeepsakeError("E_LIMIT", "The index of the bundle's frames is too large.", {
        context: { max_bytes: MAX_INDEX_BYTES },
      });
    }
    if (wanted > end.length) {
      const length = Math.min(Math.max(count, END_BYTES), bytes.sizeBytes);
      end = await collectBytes(bytes.read({ start: bytes.sizeBytes - length, length }, options), length);
    }
    return end.subarray(end.length - wanted);
  };
}

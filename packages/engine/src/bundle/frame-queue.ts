import { crc32 } from "node:zlib";
import { type FrameCodec, type FrameSize, OneAhead, type OpOptions } from "@keepsake/core";
import { type OnSegment, SegmentPlaces } from "./segment-places.js";
import { storedBytes, type StoredFrame, type StoredFrames, type StoredSegment } from "./stored-frames.js";

/** A run of stored frames is not made longer than this: it is read only once it has ended, in bytes. */
const RUN_BYTES = 8 * 1024 * 1024;

/** Frames of one segment that follow one another. */
interface Part {
  /** of the segment */
  readonly key: string | undefined;
  readonly frames: readonly StoredFrame[];
}

/** What is known of a frame before it is encoded. */
interface NewFrame {
  readonly key: string | undefined;
  readonly known: Pick<StoredFrame, "contentBytes" | "sha256">;
}

/** Something that gives encoded bytes when its turn comes, and has begun to get them. */
interface Waiting {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** what its bytes are */
  readonly holds: readonly Part[] | NewFrame;
}

/** Frames that were encoded before and lie one after the other there, too: they are read at once. */
interface Run {
  readonly start: number;
  end: number;
  readonly parts: Part[];
}

/** What a queue needs to know beside its codec. */
export interface FrameQueueOptions extends OpOptions {
  /** told of every segment with a key once all its frames were taken */
  readonly onSegment?: OnSegment | undefined;
  /** frames that need not be encoded again */
  readonly earlier?: StoredFrames | undefined;
}

/** Frames that are being encoded, several at a time, and taken in their order; and such as were encoded long ago. */
export class FrameQueue {
  /** of all that were taken */
  readonly sizes: FrameSize[] = [];
  readonly #codec: FrameCodec;
  readonly #earlier: StoredFrames | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #places: SegmentPlaces;
  readonly #remembers: boolean;
  readonly #waiting: Waiting[] = [];
  /** what is stored, and may go on with what comes next */
  #run: Run | undefined;
  /** buffers that are free again: a new one for each piece would keep the garbage collector busier than the codec */
  readonly #free: Buffer[] = [];

  constructor(codec: FrameCodec, { onSegment, earlier, signal }: FrameQueueOptions) {
    this.#codec = codec;
    this.#earlier = earlier;
    this.#signal = signal;
    this.#places = new SegmentPlaces(onSegment);
    this.#remembers = onSegment !== undefined;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#run === undefined;
  }

  /** True when as many are ready to be begun as are under way: the codec has no pause while others are read. */
  get isFull(): boolean {
    return this.#waiting.length > 2 * this.#codec.concurrency;
  }

  /** One for a piece; it comes back with the frame. */
  buffer(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#codec.contentBytes);
  }

  /**
   * Begins to encode a piece of a segment.
   *
   * @param sha256 by which its frame can be recognised
   */
  push(key: string | undefined, content: Buffer, sha256?: string): void {
    const contentBytes = content.length;
    const frame = this.#codec.encodeFrame(content).finally(() => this.giveBack(content));
    // It may fail before its turn comes, or its turn may never come: whoever takes it is told all the same.
    frame.catch(() => undefined);
    this.#endRun();
    this.#waiting.push({ bytes: only(frame), holds: { key, known: { contentBytes, sha256 } } });
  }

  /** Takes over what was encoded before. */
  pushStored(key: string | undefined, { start, frames }: StoredSegment): void {
    const end = start + storedBytes(frames);
    const run = this.#run;
    if (run?.end === start && end - run.start <= RUN_BYTES) {
      run.parts.push({ key, frames });
      run.end = end;
      return;
    }
    this.#endRun();
    this.#run = { start, end, parts: [{ key, frames }] };
  }

  /** The bytes that are next. */
  async *next(): AsyncGenerator<Uint8Array> {
    if (this.#waiting.length === 0) this.#endRun();
    const oldest = this.#waiting.shift();
    if (oldest === undefined) return;
    const { holds } = oldest;
    const isStored = "length" in holds;
    let encodedBytes = 0;
    let crc = 0;
    for await (const chunk of oldest.bytes) {
      encodedBytes += chunk.length;
      if (!isStored && this.#remembers) crc = crc32(chunk, crc);
      yield chunk;
    }
    const parts = isStored ? holds : [{ key: holds.key, frames: [{ ...holds.known, encodedBytes, crc32: crc }] }];
    for (const { key, frames } of parts) {
      this.#places.take(key, frames);
      this.sizes.push(...frames);
    }
    if (this.isEmpty) this.#places.close();
  }

  /** Closes what has been begun and will not be taken. */
  async close(): Promise<void> {
    for (const { bytes } of this.#waiting.splice(0)) await bytes[Symbol.asyncIterator]().return?.();
  }

  /** A buffer of this queue that is not needed any more. */
  giveBack({ buffer, byteOffset }: Buffer): void {
    if (byteOffset === 0 && buffer.byteLength === this.#codec.contentBytes) this.#free.push(Buffer.from(buffer));
  }

  /** Begins to read what is stored. */
  #endRun(): void {
    const run = this.#run;
    if (run === undefined || this.#earlier === undefined) return;
    this.#run = undefined;
    const frames = run.parts.flatMap((part) => part.frames);
    const bytes = new OneAhead(this.#earlier.read({ start: run.start, frames }, { signal: this.#signal }));
    this.#waiting.push({ bytes, holds: run.parts });
  }
}

async function* only(bytes: Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await bytes;
}

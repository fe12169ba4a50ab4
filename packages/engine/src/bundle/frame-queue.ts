import type { FrameCodec, FrameSize } from "@keepsake/core";
import { type OnSegment, SegmentPlaces } from "./segment-places.js";

/** Something that gives encoded bytes when its turn comes. */
interface Waiting {
  /** of the segment that it belongs to */
  readonly key: string | undefined;
  readonly sizes: (encodedBytes: number) => readonly FrameSize[];
  readonly bytes: () => AsyncIterable<Uint8Array>;
}

/** Frames that are being encoded, several at a time, and taken in their order; and such as were encoded long ago. */
export class FrameQueue {
  /** of all that were taken */
  readonly sizes: FrameSize[] = [];
  readonly #codec: FrameCodec;
  readonly #places: SegmentPlaces;
  readonly #waiting: Waiting[] = [];
  /** buffers that are free again: a new one for each piece would keep the garbage collector busier than the codec */
  readonly #free: Buffer[] = [];

  /** @param onSegment told of every segment with a key once all its frames were taken */
  constructor(codec: FrameCodec, onSegment?: OnSegment) {
    this.#codec = codec;
    this.#places = new SegmentPlaces(onSegment);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get isFull(): boolean {
    return this.#waiting.length > this.#codec.concurrency;
  }

  /** One for a piece; it comes back with the frame. */
  buffer(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#codec.contentBytes);
  }

  /** Begins to encode a piece of a segment. */
  push(key: string | undefined, content: Buffer): void {
    const contentBytes = content.length;
    const frame = this.#codec.encodeFrame(content).finally(() => this.#takeBack(content));
    // It may fail before its turn comes, or its turn may never come: whoever takes it is told all the same.
    frame.catch(() => undefined);
    this.#waiting.push({
      key,
      sizes: (encodedBytes) => [{ contentBytes, encodedBytes }],
      async *bytes() {
        yield await frame;
      },
    });
  }

  /** @param bytes is asked for when its turn has come */
  pushStored(key: string | undefined, frames: readonly FrameSize[], bytes: () => AsyncIterable<Uint8Array>): void {
    this.#waiting.push({ key, sizes: () => frames, bytes });
  }

  /** The bytes that are next. */
  async *next(): AsyncGenerator<Uint8Array> {
    const oldest = this.#waiting.shift();
    if (oldest === undefined) return;
    let length = 0;
    for await (const chunk of oldest.bytes()) {
      length += chunk.length;
      this.#places.chunk(oldest.key, chunk);
      yield chunk;
    }
    const sizes = oldest.sizes(length);
    this.#places.frames(sizes);
    this.sizes.push(...sizes);
    if (this.isEmpty) this.#places.close();
  }

  #takeBack({ buffer, byteOffset }: Buffer): void {
    if (byteOffset === 0 && buffer.byteLength === this.#codec.contentBytes) this.#free.push(Buffer.from(buffer));
  }
}

import { crc32 } from "node:zlib";
import type { FrameCodec, FrameSize } from "@keepsake/core";
import { type OnSegment, SegmentPlaces } from "./segment-places.js";
import type { StoredFrame } from "./stored-frames.js";

/** Something that gives encoded bytes when its turn comes. */
interface Waiting {
  /** of the segment that it belongs to */
  readonly key: string | undefined;
  readonly bytes: () => AsyncIterable<Uint8Array>;
  /** what its bytes are */
  readonly frames: readonly StoredFrame[] | NewFrame;
}

/** What is known of a frame before it is encoded. */
type NewFrame = Pick<StoredFrame, "contentBytes" | "sha256">;

/** Frames that are being encoded, several at a time, and taken in their order; and such as were encoded long ago. */
export class FrameQueue {
  /** of all that were taken */
  readonly sizes: FrameSize[] = [];
  readonly #codec: FrameCodec;
  readonly #places: SegmentPlaces;
  readonly #remembers: boolean;
  readonly #waiting: Waiting[] = [];
  /** buffers that are free again: a new one for each piece would keep the garbage collector busier than the codec */
  readonly #free: Buffer[] = [];

  /** @param onSegment told of every segment with a key once all its frames were taken */
  constructor(codec: FrameCodec, onSegment?: OnSegment) {
    this.#codec = codec;
    this.#places = new SegmentPlaces(onSegment);
    this.#remembers = onSegment !== undefined;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
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
    this.#waiting.push({
      key,
      frames: { contentBytes, sha256 },
      async *bytes() {
        yield await frame;
      },
    });
  }

  /** @param bytes is asked for when its turn has come */
  pushStored(key: string | undefined, frames: readonly StoredFrame[], bytes: () => AsyncIterable<Uint8Array>): void {
    this.#waiting.push({ key, frames, bytes });
  }

  /** The bytes that are next. */
  async *next(): AsyncGenerator<Uint8Array> {
    const oldest = this.#waiting.shift();
    if (oldest === undefined) return;
    const { key, frames } = oldest;
    const isStored = "length" in frames;
    let encodedBytes = 0;
    let crc = 0;
    for await (const chunk of oldest.bytes()) {
      encodedBytes += chunk.length;
      if (!isStored && this.#remembers) crc = crc32(chunk, crc);
      yield chunk;
    }
    const taken = isStored ? frames : [{ ...frames, encodedBytes, crc32: crc }];
    this.#places.take(key, taken);
    this.sizes.push(...taken);
    if (this.isEmpty) this.#places.close();
  }

  /** A buffer of this queue that is not needed any more. */
  giveBack({ buffer, byteOffset }: Buffer): void {
    if (byteOffset === 0 && buffer.byteLength === this.#codec.contentBytes) this.#free.push(Buffer.from(buffer));
  }
}

import type { FrameCodec, FrameSize } from "@keepsake/core";

/** Frames that are being encoded, several at a time, and taken in their order. */
export class FrameQueue {
  /** of all that were taken */
  readonly sizes: FrameSize[] = [];
  readonly #codec: FrameCodec;
  readonly #underWay: { readonly contentBytes: number; readonly frame: Promise<Uint8Array> }[] = [];
  /** buffers that are free again: a new one for each piece would keep the garbage collector busier than the codec */
  readonly #free: Buffer[] = [];

  constructor(codec: FrameCodec) {
    this.#codec = codec;
  }

  get isEmpty(): boolean {
    return this.#underWay.length === 0;
  }

  get isFull(): boolean {
    return this.#underWay.length > this.#codec.concurrency;
  }

  /** One for a piece; it comes back with the frame. */
  buffer(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#codec.contentBytes);
  }

  push(content: Buffer): void {
    const frame = this.#codec.encodeFrame(content);
    // It may fail before its turn comes, or its turn may never come: whoever takes it is told all the same.
    frame.catch(() => undefined);
    this.#underWay.push({ contentBytes: content.length, frame: frame.finally(() => this.#takeBack(content)) });
  }

  /** The oldest frame. */
  async *next(): AsyncGenerator<Uint8Array> {
    const oldest = this.#underWay.shift();
    if (oldest === undefined) return;
    const frame = await oldest.frame;
    this.sizes.push({ contentBytes: oldest.contentBytes, encodedBytes: frame.length });
    yield frame;
  }

  #takeBack({ buffer, byteOffset }: Buffer): void {
    if (byteOffset === 0 && buffer.byteLength === this.#codec.contentBytes) this.#free.push(Buffer.from(buffer));
  }
}

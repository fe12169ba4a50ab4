import type { FrameSize, OpOptions } from "@keepsake/core";

/** A frame that was encoded before: in a bundle that is there already, or ahead of its turn. */
export interface StoredFrame extends FrameSize {
  /** of its bytes, as they are stored */
  readonly crc32: number;
  /** of its content (64 lower-case hex digits); absent where it is recognised with its segment alone */
  readonly sha256?: string | undefined;
}

/** How much all of them take up as they are stored, in bytes. */
export function storedBytes(frames: readonly StoredFrame[]): number {
  return frames.reduce((sum, { encodedBytes }) => sum + encodedBytes, 0);
}

/** Where frames that follow one another lie. */
export interface StoredSegment {
  /** of the first byte */
  readonly start: number;
  readonly frames: readonly StoredFrame[];
}

/** Frames that were encoded before. */
export interface StoredFrames {
  /** @param segment its key */
  find(segment: string | undefined): StoredSegment | undefined | Promise<StoredSegment | undefined>;
  /** @param sha256 of what the frame holds */
  findFrame(sha256: string): StoredSegment | undefined;
  /** the frames as they are stored */
  read(stored: StoredSegment, options: OpOptions): AsyncIterable<Uint8Array>;
}

import type { StoredFrame, StoredSegment } from "./stored-frames.js";

/** Told where a segment lies among the encoded bytes. */
export type OnSegment = (key: string, stored: StoredSegment) => void;

/** Sees frames go by, and tells of each segment with a key where it lies. */
export class SegmentPlaces {
  readonly #onSegment: OnSegment | undefined;
  #open: { readonly key: string | undefined; readonly start: number; readonly frames: StoredFrame[] };
  #end = 0;

  constructor(onSegment: OnSegment | undefined) {
    this.#onSegment = onSegment;
    this.#open = { key: undefined, start: 0, frames: [] };
  }

  /** Frames that follow those before them. @param key of the segment that they are of */
  take(key: string | undefined, frames: readonly StoredFrame[]): void {
    if (key !== this.#open.key) this.close(key);
    for (const frame of frames) {
      this.#open.frames.push(frame);
      this.#end += frame.encodedBytes;
    }
  }

  /** Tells of the segment that has ended. */
  close(next?: string): void {
    const { key, start, frames } = this.#open;
    if (key !== undefined) this.#onSegment?.(key, { start, frames });
    this.#open = { key: next, start: this.#end, frames: [] };
  }
}

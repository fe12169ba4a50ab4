import { crc32 } from "node:zlib";
import type { FrameSize } from "@keepsake/core";
import type { StoredSegment } from "./taken-over.js";

/** Told where a segment lies among the encoded bytes. */
export type OnSegment = (key: string, stored: StoredSegment) => void;

/** Watches encoded bytes go by, and tells of each segment with a key where it lies. */
export class SegmentPlaces {
  readonly #onSegment: OnSegment | undefined;
  #open: { readonly key: string | undefined; readonly start: number; readonly frames: FrameSize[]; crc: number } = {
    key: undefined,
    start: 0,
    frames: [],
    crc: 0,
  };
  #end = 0;

  constructor(onSegment: OnSegment | undefined) {
    this.#onSegment = onSegment;
  }

  chunk(key: string | undefined, bytes: Uint8Array): void {
    if (key !== this.#open.key) this.close(key);
    if (key !== undefined && this.#onSegment !== undefined) this.#open.crc = crc32(bytes, this.#open.crc);
    this.#end += bytes.length;
  }

  frames(sizes: readonly FrameSize[]): void {
    this.#open.frames.push(...sizes);
  }

  /** Tells of the segment that has ended. */
  close(next?: string): void {
    const { key, start, frames, crc } = this.#open;
    if (key !== undefined) this.#onSegment?.(key, { start, frames, crc32: crc });
    this.#open = { key: next, start: this.#end, frames: [], crc: 0 };
  }
}

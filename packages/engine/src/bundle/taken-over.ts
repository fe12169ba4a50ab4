import { crc32 } from "node:zlib";
import type { BundleStore, FrameSize, OpOptions } from "@keepsake/core";

/** Where the frames of a segment lie in a bundle that is there already. */
export interface StoredSegment {
  /** of its first byte in the bundle */
  readonly start: number;
  readonly frames: readonly FrameSize[];
  /** of its bytes, as they are stored */
  readonly crc32: number;
}

/** The frames in the bundle are not what they were: then nothing is taken over, and all is read. */
export class NotAsItWas extends Error {}

/** The frames of an earlier bundle. */
export class EarlierBundle {
  readonly #store: BundleStore;
  readonly #key: string;
  readonly #segments: ReadonlyMap<string, StoredSegment>;

  constructor(store: BundleStore, key: string, segments: ReadonlyMap<string, StoredSegment>) {
    this.#store = store;
    this.#key = key;
    this.#segments = segments;
  }

  find(segment: string | undefined): StoredSegment | undefined {
    return segment === undefined ? undefined : this.#segments.get(segment);
  }

  /** The frames as they are stored. @throws NotAsItWas after the last byte, or when they cannot be read */
  async *read({ start, frames, crc32: expected }: StoredSegment, { signal }: OpOptions): AsyncGenerator<Uint8Array> {
    const length = frames.reduce((sum, { encodedBytes }) => sum + encodedBytes, 0);
    let found = 0;
    let read = 0;
    try {
      const { body } = await this.#store.get(this.#key, { range: { start, length }, signal });
      for await (const chunk of body) {
        found = crc32(chunk, found);
        read += chunk.length;
        yield chunk;
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw new NotAsItWas("The earlier bundle cannot be read.", { cause: error });
    }
    if (read !== length || found !== expected) throw new NotAsItWas("The earlier bundle has changed.");
  }
}

/** True when that is why something failed, whoever passed it on. */
export function isOfEarlierBundle(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof NotAsItWas) return true;
  return false;
}

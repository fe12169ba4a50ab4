import { crc32 } from "node:zlib";
import { type ByteDigest, type Codec, collectBytes, type OpOptions, type RangedBytes, sha256Hex } from "@keepsake/core";
import { unpackEntries } from "./tar-entries.js";
import { storedBytes, type StoredFrame, type StoredFrames, type StoredSegment } from "./stored-frames.js";

/** The frames in the bundle are not what they were: then nothing is taken over, and all is read. */
export class NotAsItWas extends Error {}

/** So many segments are kept unpacked: what was a run of small files may be in two of them by now. */
const UNPACKED = 2;

/** The frames of an earlier bundle. */
export class EarlierBundle implements StoredFrames {
  readonly #encoded: RangedBytes;
  readonly #codec: Codec;
  readonly #segments: ReadonlyMap<string, StoredSegment>;
  readonly #frames = new Map<string, StoredSegment>();
  readonly #unpacked = new Map<StoredSegment, Promise<ReadonlyMap<string, Buffer>>>();

  /** @param encoded what `codec` gave, without what others made of it */
  constructor(encoded: RangedBytes, codec: Codec, segments: ReadonlyMap<string, StoredSegment>) {
    this.#encoded = encoded;
    this.#codec = codec;
    this.#segments = segments;
    for (const { start, frames } of segments.values()) {
      let at = start;
      for (const frame of frames) {
        if (frame.sha256 !== undefined) this.#frames.set(frame.sha256, { start: at, frames: [frame] });
        at += frame.encodedBytes;
      }
    }
  }

  find(segment: string | undefined): StoredSegment | undefined {
    return segment === undefined ? undefined : this.#segments.get(segment);
  }

  /** @param sha256 of what it holds */
  findFrame(sha256: string): StoredSegment | undefined {
    return this.#frames.get(sha256);
  }

  /**
   * The bytes of one small file.
   *
   * @param key of the segment in which it lies
   * @param name of its entry
   * @throws NotAsItWas when they are not what they were
   */
  async contentOf(key: string, name: string, digest: ByteDigest): Promise<Buffer> {
    const segment = this.#segments.get(key);
    if (segment === undefined) throw changed();
    const bytes = (await this.#entriesOf(segment)).get(name);
    if (bytes?.length !== digest.sizeBytes || sha256Hex(bytes) !== digest.sha256) throw changed();
    return bytes;
  }

  async #entriesOf(segment: StoredSegment): Promise<ReadonlyMap<string, Buffer>> {
    const unpacked = this.#unpacked.get(segment) ?? this.#unpack(segment);
    this.#unpacked.delete(segment);
    this.#unpacked.set(segment, unpacked);
    for (const oldest of this.#unpacked.keys()) {
      if (this.#unpacked.size <= UNPACKED) break;
      this.#unpacked.delete(oldest);
    }
    return await unpacked;
  }

  async #unpack(segment: StoredSegment): Promise<ReadonlyMap<string, Buffer>> {
    const maxOutputBytes = segment.frames.reduce((sum, { contentBytes }) => sum + contentBytes, 0);
    try {
      const decoded = this.#codec.decode(this.read(segment, {}), { maxOutputBytes });
      return await unpackEntries(await collectBytes(decoded, maxOutputBytes));
    } catch (error) {
      throw error instanceof NotAsItWas
        ? error
        : new NotAsItWas("The earlier bundle cannot be unpacked.", { cause: error });
    }
  }

  /** The frames as they are stored. @throws NotAsItWas after the last byte of one that has changed, or when they cannot be read */
  async *read({ start, frames }: StoredSegment, { signal }: OpOptions): AsyncGenerator<Uint8Array> {
    const length = storedBytes(frames);
    const check = new FrameCheck(frames);
    try {
      for await (const chunk of this.#encoded.read({ start, length }, { signal })) {
        check.update(chunk);
        yield chunk;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof NotAsItWas) throw error;
      throw new NotAsItWas("The earlier bundle cannot be read.", { cause: error });
    }
    check.end();
  }
}

/** Holds bytes to the frames that they are to be. */
class FrameCheck {
  readonly #frames: Iterator<StoredFrame>;
  #frame: StoredFrame | undefined;
  #left = 0;
  #crc = 0;

  constructor(frames: Iterable<StoredFrame>) {
    this.#frames = frames[Symbol.iterator]();
    this.#next();
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#frame === undefined) throw changed();
      const part = bytes.subarray(at, at + this.#left);
      this.#crc = crc32(part, this.#crc);
      this.#left -= part.length;
      at += part.length;
      if (this.#left > 0) continue;
      if (this.#crc !== this.#frame.crc32) throw changed();
      this.#next();
    }
  }

  end(): void {
    if (this.#frame !== undefined) throw changed();
  }

  #next(): void {
    this.#frame = this.#frames.next().value as StoredFrame | undefined;
    this.#left = this.#frame?.encodedBytes ?? 0;
    this.#crc = 0;
  }
}

function changed(): NotAsItWas {
  return new NotAsItWas("The earlier bundle has changed.");
}

/** True when that is why something failed, whoever passed it on. */
export function isOfEarlierBundle(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof NotAsItWas) return true;
  return false;
}

import { type FileHandle, open, rm } from "node:fs/promises";
import type { FrameCodec, OpOptions } from "@keepsake/core";
import { writeAll } from "@keepsake/files";
import { encodeSegments } from "./encode-archive.js";
import { largeSegment, type Segment } from "./segments.js";
import type { StagedArtifactFile } from "./staged-bundle.js";
import { storedBytes, type StoredFrames, type StoredSegment } from "./stored-frames.js";

const CHUNK_BYTES = 1024 * 1024;

/**
 * Encodes large files while others are still captured: a copied database keeps one processor busy, and its frames depend on
 * nothing that comes before them in the archive. They wait in a private file until the archive comes to them. What was encoded
 * takes their place: no more of the disk is needed than without.
 */
export class FramesAhead implements StoredFrames, AsyncDisposable {
  readonly #codec: FrameCodec;
  readonly #file: string;
  readonly #segments = new Map<string, Promise<StoredSegment | undefined>>();
  readonly #abort = new AbortController();
  #handle: FileHandle | undefined;
  #end = 0;
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  /** @param file a private path, made when it is needed */
  constructor(codec: FrameCodec, file: string) {
    this.#codec = codec;
    this.#file = file;
  }

  /** Begins with it when those before are done; small files, which share their frames with others, are left out. */
  add(artifact: StagedArtifactFile): void {
    const segment = largeSegment(artifact);
    if (segment?.key === undefined || this.#isOver) return;
    const { key } = segment;
    const encoded = this.#last.then(() => (this.#isOver ? undefined : this.#encode(segment, artifact)));
    this.#segments.set(key, encoded);
    this.#last = encoded;
  }

  /** What has been begun is waited for; what has not is left to whoever asks, and so is what could not be kept. */
  find(segment: string | undefined): Promise<StoredSegment | undefined> | undefined {
    this.#isOver = true;
    return segment === undefined ? undefined : this.#segments.get(segment);
  }

  findFrame(): undefined {
    return undefined;
  }

  async *read({ start, frames }: StoredSegment, { signal }: OpOptions): AsyncGenerator<Uint8Array> {
    const end = start + storedBytes(frames);
    for (let at = start; at < end; ) {
      signal?.throwIfAborted();
      const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, end - at));
      const read = await this.#handle?.read(chunk, 0, chunk.length, at);
      if (read === undefined || read.bytesRead === 0) throw new TypeError("What was encoded is not there any more.");
      at += read.bytesRead;
      yield chunk.subarray(0, read.bytesRead);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#abort.abort();
    await this.#last;
    await this.#handle?.close();
    this.#handle = undefined;
  }

  /** Never fails: without it the file is encoded when its turn comes, which tells what is wrong. */
  async #encode(segment: Segment, { file }: StagedArtifactFile): Promise<StoredSegment | undefined> {
    const start = this.#end;
    let stored: StoredSegment | undefined;
    const onSegment = (_key: string, { frames }: StoredSegment): void => {
      stored = { start, frames };
    };
    try {
      this.#handle ??= await open(this.#file, "wx+", 0o600);
      for await (const chunk of encodeSegments([segment], this.#codec, { signal: this.#abort.signal, onSegment })) {
        await writeAll(this.#handle, chunk, this.#end);
        this.#end += chunk.length;
      }
    } catch {
      this.#isOver = true;
      // What is half encoded would keep others from the room that they need.
      await this.#handle?.truncate(start).catch(() => undefined);
      return undefined;
    }
    if (file !== undefined) await rm(file, { force: true }).catch(() => undefined);
    return stored;
  }
}

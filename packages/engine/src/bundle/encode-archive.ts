import { type ByteStream, type Codec, type FrameCodec, type OpOptions, sha256Hex } from "@keepsake/core";
import type { PhaseTimes } from "../snapshot/phase-times.js";
import { encodeThrough, phaseBehind } from "./codec-chain.js";
import { countedStream } from "./counted-stream.js";
import { FrameQueue } from "./frame-queue.js";
import type { Segment } from "./segments.js";
import type { OnSegment } from "./segment-places.js";
import type { StoredFrames } from "./stored-frames.js";

/** How large the pieces are that a codec gets which knows no frames, in bytes. */
const PIECE_BYTES = 256 * 1024;

export interface EncodeOptions extends OpOptions {
  /** told how many bytes of the archive have been encoded */
  readonly onBytes?: ((done: number) => void) | undefined;
  readonly phases?: PhaseTimes | undefined;
  /** frames that need not be encoded again */
  readonly earlier?: StoredFrames | undefined;
  /** told where each segment with a key lies among the encoded bytes */
  readonly onSegment?: OnSegment | undefined;
}

/** An archive through every codec in order. */
export function encodeArchive(
  segments: Iterable<Segment>,
  codecs: readonly Codec[],
  options: EncodeOptions,
): ByteStream {
  const { signal, onBytes, phases } = options;
  const [first, ...others] = codecs;
  if (first?.frames === undefined) {
    return encodeThrough(codecs, countedStream(plainArchive(segments, options), onBytes), { signal, phases });
  }
  const frames = encodeFrames(segments, first.frames, options);
  const behind = phaseBehind(others);
  const timed = phases === undefined ? frames : phases.waitedFor("compress", behind, frames);
  return encodeThrough(others, timed, { signal, phases });
}

/** The archive itself. */
export async function* plainArchive(segments: Iterable<Segment>, { signal }: OpOptions): AsyncGenerator<Uint8Array> {
  for (const segment of segments) yield* segment.pieces({ pieceBytes: PIECE_BYTES, signal });
}

/** Each segment in frames of its own, and the index of all. */
async function* encodeFrames(
  segments: Iterable<Segment>,
  codec: FrameCodec,
  options: EncodeOptions,
): AsyncGenerator<Uint8Array> {
  const queue = new FrameQueue(codec, options);
  yield* throughQueue(queue, segments, codec, options);
  yield codec.index(queue.sizes);
}

/** The frames of segments alone. */
export function encodeSegments(
  segments: Iterable<Segment>,
  codec: FrameCodec,
  options: EncodeOptions,
): AsyncGenerator<Uint8Array> {
  return throughQueue(new FrameQueue(codec, options), segments, codec, options);
}

/** Several frames are under way at a time. */
async function* throughQueue(
  queue: FrameQueue,
  segments: Iterable<Segment>,
  codec: FrameCodec,
  options: EncodeOptions,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const _full of fill(queue, segments, codec, options)) {
      yield* queue.next();
      options.signal?.throwIfAborted();
    }
    while (!queue.isEmpty) yield* queue.next();
  } finally {
    await queue.close();
  }
}

/** Puts all into the queue, and waits whenever it is full. */
async function* fill(
  queue: FrameQueue,
  segments: Iterable<Segment>,
  codec: FrameCodec,
  { signal, onBytes, earlier, onSegment }: EncodeOptions,
): AsyncGenerator<undefined> {
  const buffer = (): Buffer => queue.buffer();
  let done = 0;
  for (const segment of segments) {
    const { key } = segment;
    const stored = await earlier?.find(key);
    if (stored !== undefined) {
      queue.pushStored(key, stored);
      done += stored.frames.reduce((sum, { contentBytes }) => sum + contentBytes, 0);
      onBytes?.(done);
      while (queue.isFull) yield undefined;
      continue;
    }
    // A large file usually changes in places: its other frames are what they were.
    const isPartlyTheSame = segment.isLarge && onSegment !== undefined;
    for await (const piece of segment.pieces({ pieceBytes: codec.contentBytes, signal, buffer })) {
      done += piece.length;
      const sha256 = isPartlyTheSame ? sha256Hex(piece) : undefined;
      const frame = sha256 === undefined ? undefined : earlier?.findFrame(sha256);
      if (frame === undefined) {
        queue.push(key, piece, sha256);
      } else {
        queue.giveBack(piece);
        queue.pushStored(key, frame);
      }
      onBytes?.(done);
      while (queue.isFull) yield undefined;
    }
  }
}

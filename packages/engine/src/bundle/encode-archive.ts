import type { ByteStream, Codec, FrameCodec, OpOptions } from "@keepsake/core";
import type { PhaseTimes } from "../snapshot/phase-times.js";
import { encodeThrough, phaseBehind } from "./codec-chain.js";
import { countedStream } from "./counted-stream.js";
import { FrameQueue } from "./frame-queue.js";
import type { Segment } from "./segments.js";

/** How large the pieces are that a codec gets which knows no frames, in bytes. */
const PIECE_BYTES = 256 * 1024;

export interface EncodeOptions extends OpOptions {
  /** told how many bytes of the archive have been encoded */
  readonly onBytes?: ((done: number) => void) | undefined;
  readonly phases?: PhaseTimes | undefined;
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

/** Each segment in frames of its own, several of them under way at a time. */
async function* encodeFrames(
  segments: Iterable<Segment>,
  codec: FrameCodec,
  { signal, onBytes }: EncodeOptions,
): AsyncGenerator<Uint8Array> {
  const queue = new FrameQueue(codec);
  let done = 0;
  for (const segment of segments) {
    for await (const piece of segment.pieces({
      pieceBytes: codec.contentBytes,
      signal,
      buffer: () => queue.buffer(),
    })) {
      done += piece.length;
      queue.push(piece);
      if (!queue.isFull) continue;
      yield* queue.next();
      onBytes?.(done);
      signal?.throwIfAborted();
    }
  }
  while (!queue.isEmpty) yield* queue.next();
  onBytes?.(done);
  yield codec.index(queue.sizes);
}

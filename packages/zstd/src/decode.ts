import { abortable, ByteReader, type ByteStream, type DecodeOptions, KeepsakeError } from "@keepsake/core";
import { InFlight } from "./in-flight.js";
import { BlockDecoder } from "./block-decoder.js";
import { ContentChecksums } from "./checksum.js";
import type { FrameHeader } from "./frame-header.js";
import { type Block, FrameReader } from "./frame-reader.js";
import { MAX_FRAME_BYTES } from "./frame-sizes.js";
import type { NativeZstd } from "./native.js";
import { OutputBudget } from "./output-budget.js";

/** The blocks of a frame that is decoded whole could not give more than this, whatever its header says. */
const MAX_WHOLE_FRAME_BOUND = 4 * MAX_FRAME_BYTES;
/** The limit of the `zstd` command, `--long=27`. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;

interface DecoderSettings {
  readonly native: NativeZstd | undefined;
  /** frames that are decompressed at the same time */
  readonly concurrency: number;
}

/** Decodes zstd frames of any maker: small ones whole and several at once, all others block by block. */
export async function* decodeFrames(
  input: ByteStream,
  { maxOutputBytes, signal }: DecodeOptions,
  { native, concurrency }: DecoderSettings,
): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(abortable(input, signal));
  const frames = new FrameReader(reader);
  const budget = new OutputBudget(maxOutputBytes);
  const inFlight = new InFlight<Uint8Array>();
  try {
    for (;;) {
      // What was read before a failure is still given out: the failure stands where it is in the stream.
      const frame = await nextFrame(frames, budget, native !== undefined).catch((error: unknown) => ({ error }));
      const room = frame !== undefined && "whole" in frame ? concurrency - 1 : 0;
      while (inFlight.size > room) {
        const content = await inFlight.next();
        signal?.throwIfAborted();
        if (content !== undefined && content.length > 0) yield content;
      }
      if (frame === undefined) return;
      if ("error" in frame) throw frame.error;
      if ("whole" in frame) inFlight.push(decompressWhole(native, frame.whole, frame.contentBytes));
      else yield* decodeBlocks(frames, frame, budget, signal);
    }
  } finally {
    await reader.close();
  }
}

interface WholeFrame {
  readonly whole: Buffer;
  readonly contentBytes: number;
}

/** A frame to be decoded block by block; the first blocks were read already. */
interface OpenFrame {
  readonly header: FrameHeader;
  readonly blocks: readonly Block[];
}

async function nextFrame(
  frames: FrameReader,
  budget: OutputBudget,
  hasNative: boolean,
): Promise<WholeFrame | OpenFrame | undefined> {
  const header = await frames.nextHeader();
  if (header === undefined) return undefined;
  const { contentBytes, windowBytes } = header;
  if (windowBytes > MAX_WINDOW_BYTES) {
    throw new KeepsakeError("E_LIMIT", `A zstd frame needs a window of ${windowBytes} bytes.`, {
      context: { window_bytes: windowBytes, max_window_bytes: MAX_WINDOW_BYTES },
      hint: "Compress it again with --long=27 or less.",
    });
  }
  budget.require(contentBytes ?? 0);
  if (!hasNative || contentBytes === undefined || contentBytes > MAX_FRAME_BYTES) return { header, blocks: [] };

  const blocks: Block[] = [];
  let bound = 0;
  let size = header.bytes.length;
  while (bound <= MAX_WHOLE_FRAME_BOUND && size <= MAX_WHOLE_FRAME_BOUND) {
    const block = await frames.nextBlock(header);
    blocks.push(block);
    bound += block.outputBound;
    size += block.bytes.length;
    if (!block.isLast) continue;
    const parts = [header.bytes, ...blocks.map(({ bytes }) => bytes)];
    if (header.hasChecksum) parts.push(await frames.checksum());
    budget.spend(contentBytes);
    return { whole: joined(parts), contentBytes };
  }
  return { header, blocks };
}

/** The parts in one piece: copied only where they do not lie one after the other in memory anyway. */
function joined(parts: readonly Uint8Array[]): Buffer {
  const [first] = parts;
  let end = first?.byteOffset ?? 0;
  for (const part of parts) {
    if (part.buffer !== first?.buffer || part.byteOffset !== end) return Buffer.concat(parts);
    end += part.length;
  }
  return first === undefined ? Buffer.alloc(0) : Buffer.from(first.buffer, first.byteOffset, end - first.byteOffset);
}

async function decompressWhole(
  native: NativeZstd | undefined,
  frame: Buffer,
  contentBytes: number,
): Promise<Uint8Array> {
  if (native === undefined) throw new TypeError("A whole frame is only read for the native library.");
  const content = await native.decompress(frame).catch((error: unknown) => {
    throw new KeepsakeError("E_INTEGRITY", "A zstd frame is damaged.", { cause: error });
  });
  if (content.length !== contentBytes) throw wrongSize();
  return content;
}

async function* decodeBlocks(
  frames: FrameReader,
  { header, blocks }: OpenFrame,
  budget: OutputBudget,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const checksum = (await ContentChecksums.load()).running();
  const decoder = new BlockDecoder(header);
  const queue = [...blocks];
  let contentBytes = 0;
  for (;;) {
    const block = queue.shift() ?? (await frames.nextBlock(header));
    for (const content of decoder.decode(block)) {
      contentBytes += content.length;
      if (contentBytes > (header.contentBytes ?? Number.POSITIVE_INFINITY)) throw wrongSize();
      budget.spend(content.length);
      checksum.update(content);
      yield content;
    }
    if (block.isLast) break;
    // A block takes milliseconds of this thread, more with a large window: others may run in between.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
  if (header.contentBytes !== undefined && contentBytes !== header.contentBytes) throw wrongSize();
  if (header.hasChecksum && !checksum.digest().equals(await frames.checksum())) {
    throw new KeepsakeError("E_INTEGRITY", "The content of a zstd frame does not have the checksum the frame states.");
  }
}

function wrongSize(): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", "A zstd frame does not hold as many bytes as it states.");
}

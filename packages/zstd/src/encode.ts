import { abortable, type ByteStream, KeepsakeError, type OpOptions } from "@keepsake/core";
import { InFlight } from "./in-flight.js";
import { ContentChecksums } from "./checksum.js";
import { headerLength, parseFrameHeader, withSizeAndChecksum } from "./frame-header.js";
import type { NativeZstd } from "./native.js";

/** How one frame is compressed. */
export interface FrameSettings {
  readonly native: NativeZstd;
  readonly level: number;
}

interface EncoderSettings extends FrameSettings {
  readonly frameBytes: number;
  readonly concurrency: number;
}

/** Compresses portions of a fixed size, several at a time, each to a frame of its own. */
export async function* encodeFrames(
  input: ByteStream,
  { signal }: OpOptions,
  settings: EncoderSettings,
): AsyncGenerator<Uint8Array> {
  const inFlight = new InFlight<Uint8Array>();
  for await (const content of portions(abortable(input, signal), settings.frameBytes)) {
    inFlight.push(encodeFrame(content, settings));
    if (inFlight.size <= settings.concurrency) continue;
    const frame = await inFlight.next();
    signal?.throwIfAborted();
    if (frame !== undefined) yield frame;
  }
  for (let frame = await inFlight.next(); frame !== undefined; frame = await inFlight.next()) {
    signal?.throwIfAborted();
    yield frame;
  }
}

/** The input in portions of exactly `size` bytes, the last one shorter; one empty portion for an empty input. */
async function* portions(input: ByteStream, size: number): AsyncGenerator<Buffer> {
  let portion = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  let count = 0;
  for await (const chunk of input) {
    for (let offset = 0; offset < chunk.length; ) {
      const part = chunk.subarray(offset, offset + size - filled);
      portion.set(part, filled);
      filled += part.length;
      offset += part.length;
      if (filled < size) continue;
      yield portion;
      count += 1;
      portion = Buffer.allocUnsafeSlow(size);
      filled = 0;
    }
  }
  if (filled > 0 || count === 0) yield portion.subarray(0, filled);
}

/**
 * One frame. The library writes neither content size nor checksum: both are put in afterwards. The size lets a reader
 * decode frames whole and in parallel; without the checksum nearly every flipped bit would give wrong bytes unnoticed.
 */
export async function encodeFrame(content: Buffer, { native, level }: FrameSettings): Promise<Uint8Array> {
  const checksums = await ContentChecksums.load();
  const compressed = native.compress(content, level);
  const checksum = checksums.of(content);
  const frame = await compressed.catch((error: unknown) => {
    throw new KeepsakeError("E_INTERNAL", "The zstd library could not compress.", { cause: error });
  });
  const header = parseFrameHeader(frame.subarray(0, headerLength(frame.readUInt8(4))));
  if (header.hasChecksum)
    throw new KeepsakeError("E_INTERNAL", "The zstd library wrote a checksum, which it did not before.");
  const blocks = frame.subarray(header.bytes.length);
  return Buffer.concat([withSizeAndChecksum(header, content.length), blocks, checksum]);
}

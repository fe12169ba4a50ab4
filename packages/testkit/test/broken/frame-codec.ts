import { createHash } from "node:crypto";
import { abortable, ByteReader, type ByteStream, type Codec, type DecodeOptions, KeepsakeError } from "@keepsake/core";

/** Parts of the codec that a test breaks. */
export interface FrameCodecDefects {
  readonly dropsLastFrame?: boolean;
  readonly takesCuts?: boolean;
  readonly takesTails?: boolean;
  readonly hasNoLimit?: boolean;
  readonly hasNoChecksum?: boolean;
  readonly followsChunks?: boolean;
}

const MAGIC = Buffer.from("FRAMES1\n");
const FRAME_BYTES = 65_536;
const DIGEST_BYTES = 8;

const digestOf = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest().subarray(0, DIGEST_BYTES);

function frame(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(bytes.length);
  return Buffer.concat([head, digestOf(Buffer.concat([head, bytes])), bytes]);
}

/** Frames of 64 KiB with a digest each, and an empty one at the end. Right, unless a defect is asked for. */
export function frameCodec(defects: FrameCodecDefects = {}): Codec {
  return {
    id: "frames",
    suffix: ".frames",
    encode: (input, { signal } = {}) => encode(abortable(input, signal), defects),
    decode: (input, options) => decode(input, options, defects),
    describe: () => ({ frameBytes: FRAME_BYTES }),
  };
}

async function* encode(input: ByteStream, defects: FrameCodecDefects): AsyncGenerator<Uint8Array> {
  yield Buffer.from(MAGIC);
  const reader = new ByteReader(input);
  try {
    for (;;) {
      const bytes =
        (await (defects.followsChunks === true ? reader.readSome() : reader.read(FRAME_BYTES))) ?? Buffer.alloc(0);
      const isLast = defects.dropsLastFrame === true && (await reader.peek(1)).length === 0;
      if (bytes.length === 0) break;
      if (!isLast) yield frame(Buffer.from(bytes));
    }
    yield frame(new Uint8Array(0));
  } finally {
    await reader.close();
  }
}

async function* decode(
  input: ByteStream,
  { maxOutputBytes, signal }: DecodeOptions,
  defects: FrameCodecDefects,
): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(abortable(input, signal));
  const cut = (): KeepsakeError => new KeepsakeError("E_TRUNCATED", "The input ends early.");
  let left = maxOutputBytes;
  try {
    const magic = Buffer.from(await reader.read(MAGIC.length));
    if (!MAGIC.subarray(0, magic.length).equals(magic)) throw new KeepsakeError("E_INTEGRITY", "It begins otherwise.");
    for (;;) {
      const head = Buffer.from(await reader.read(4));
      if (head.length < 4 && defects.takesCuts === true) return;
      if (head.length < 4) throw cut();
      const digest = Buffer.from(await reader.read(DIGEST_BYTES));
      const size = head.readUInt32LE();
      if (size > FRAME_BYTES && defects.followsChunks !== true)
        throw new KeepsakeError("E_INTEGRITY", "A frame is too long.");
      const bytes = Buffer.from(await reader.read(size));
      if (bytes.length < size || digest.length < DIGEST_BYTES) {
        if (defects.takesCuts === true) return;
        throw cut();
      }
      const isRight = digestOf(Buffer.concat([head, bytes])).equals(digest);
      if (!isRight && defects.hasNoChecksum !== true) throw new KeepsakeError("E_INTEGRITY", "A frame is damaged.");
      if (size === 0) break;
      if (size > left && defects.hasNoLimit !== true) throw new KeepsakeError("E_LIMIT", "It is too much.");
      left -= size;
      yield bytes;
    }
    const goesOn = (await reader.peek(1)).length > 0;
    if (goesOn && defects.takesTails !== true) throw new KeepsakeError("E_TRAILING_DATA", "Something follows.");
  } finally {
    await reader.close();
  }
}

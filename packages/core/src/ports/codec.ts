import type { ByteStream } from "../bytes/byte-stream.js";
import type { JsonObject } from "../json.js";
import type { OpOptions } from "./options.js";
import type { RangedBytes } from "./ranged-bytes.js";

/** What decoding is held to. */
export interface DecodeOptions extends OpOptions {
  /** decoding fails with `E_LIMIT` before it yields more than this many bytes */
  readonly maxOutputBytes: number;
}

/**
 * A pure byte transform; async generator functions are enough. Codecs are stateless between calls and may run several
 * times at once. Chunks may have any size, one byte or many megabytes, on both sides.
 */
export interface Codec {
  readonly id: string;
  /** What it appends to the file name; the name tells how to read the file: ".zst", ".age". A dot and one or more of
   *  `[A-Za-z0-9_-]`. */
  readonly suffix: `.${string}`;
  /** True when the output reveals nothing without a key. Default false. */
  readonly encrypts?: boolean;
  encode(input: ByteStream, options?: OpOptions): ByteStream;
  /**
   * @throws KeepsakeError (from the iteration) `E_TRUNCATED` when the input ends early, `E_TRAILING_DATA` when it goes on
   *   after its end, `E_INTEGRITY` when it is malformed or a checksum differs, `E_LIMIT`; for an encrypting codec
   *   `E_DECRYPT` when no identity fits and `E_IDENTITY` when none was given
   */
  decode(input: ByteStream, options: DecodeOptions): ByteStream;
  /** Absent: its output can only be written from the beginning, and read so where there is no `decodeRanges` either. */
  readonly frames?: FrameCodec;
  /**
   * Opens an output to be decoded at any place. No byte is given out that `decode` would not give at that place; of what is
   * not read, nothing is judged: `sizeBytes` is what the output's length says, and is right once the last byte was read.
   *
   * @param encoded the whole output; only what is needed of it is read
   * @returns undefined when this output can be decoded from its beginning alone
   * @throws KeepsakeError what `decode` throws; from a part's iteration `E_INTEGRITY` or `E_TRUNCATED`
   */
  decodeRanges?(encoded: RangedBytes, options?: OpOptions): Promise<RangedBytes | undefined>;
  /** What the manifest says of it; an encrypting codec gives `scheme` and `recipientsFingerprint` (string array). */
  describe?(): JsonObject;
}

/** How long one frame is, in bytes: as it was, and encoded. */
export interface FrameSize {
  readonly contentBytes: number;
  readonly encodedBytes: number;
}

/**
 * A codec whose output is a row of frames that depend on nothing but their content: `decode` of frames one after the other
 * gives their contents one after the other. So they can be encoded at the same time, taken over from an earlier output, and
 * read one by one.
 */
export interface FrameCodec {
  /** so much content goes into a frame at most, in bytes */
  readonly contentBytes: number;
  /** how many are worth encoding at a time */
  readonly concurrency: number;
  /** One frame. The content is not touched once the promise is settled. */
  encodeFrame(content: Uint8Array): Promise<Uint8Array>;
  /** What stands behind the last frame and says where each one lies; `decode` passes it over. */
  index(frames: readonly FrameSize[]): Uint8Array;
  /**
   * The index of an output.
   *
   * @param readEnd reads so many of the output's last bytes, or all where there are fewer
   * @returns undefined when it has none
   * @throws KeepsakeError `E_INTEGRITY` when it is malformed; what `readEnd` throws
   */
  readIndex(readEnd: (bytes: number) => Promise<Uint8Array>): Promise<readonly FrameSize[] | undefined>;
}

import type { ByteStream } from "../bytes/byte-stream.js";
import type { JsonObject } from "../json.js";
import type { OpOptions } from "./options.js";

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
  /** What the manifest says of it; an encrypting codec gives `scheme` and `recipientsFingerprint` (string array). */
  describe?(): JsonObject;
}

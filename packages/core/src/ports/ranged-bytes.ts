import type { ByteStream } from "../bytes/byte-stream.js";
import type { ByteRange } from "./bundle-store.js";
import type { OpOptions } from "./options.js";

/** Bytes of which any part can be read without what stands before it. */
export interface RangedBytes {
  readonly sizeBytes: number;
  /** A part of them, as often as wanted and several at a time. What lies beyond their end is not there. */
  read(range: ByteRange, options?: OpOptions): ByteStream;
}

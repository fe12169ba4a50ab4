import { deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";

/** A larger one is not looked through, in bytes once unfolded. */
export const MAX_UNFOLDED_BYTES = 32 * 1024 * 1024;

/** How bytes are compressed: RFC 1952 or RFC 1950. */
export type Wrapper = "gzip" | "zlib";

/** What compressed bytes hold, and what is needed to write them again. */
export interface Unfolded {
  readonly wrapper: Wrapper;
  readonly level: number;
  readonly content: Buffer;
  /** what stands behind, and is of something else */
  readonly tail: Uint8Array;
}

/** Of zlib the second byte, with a window of 32 KiB and no dictionary, by how hard was tried: a multiple of 31 with the first. */
const ZLIB_LEVELS: Readonly<Record<number, number>> = { 0x01: 1, 0x5e: 5, 0x9c: 6, 0xda: 9 };
/** Of gzip the ninth. */
const GZIP_LEVELS: Readonly<Record<number, number>> = { 2: 9, 4: 1 };

/** What the bytes begin like. The tables of a database are asked for the same in SQL. */
export function wrapperOf(bytes: Uint8Array): Wrapper | undefined {
  const [first, second = 0] = bytes;
  if (first === 0x1f && second === 0x8b) return "gzip";
  return first === 0x78 && ZLIB_LEVELS[second] !== undefined ? "zlib" : undefined;
}

/** The same as a condition. @param column as it stands in SQL */
export function isFoldedSql(column: string): string {
  return `(typeof(${column}) = 'blob' AND substr(${column}, 1, 2) IN (x'1f8b', x'7801', x'785e', x'789c', x'78da'))`;
}

/**
 * Unfolds bytes, once.
 *
 * @returns undefined for what only begins like it, or breaks off
 */
export function unfold(bytes: Uint8Array): Unfolded | "too_large" | undefined {
  const wrapper = wrapperOf(bytes);
  if (wrapper === undefined) return undefined;
  try {
    const inflate = wrapper === "gzip" ? gunzipSync : inflateSync;
    // The types do not know what `info` gives.
    const { buffer, engine } = inflate(bytes, { info: true, maxOutputLength: MAX_UNFOLDED_BYTES }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    const level = (wrapper === "gzip" ? GZIP_LEVELS[bytes[8] ?? 0] : ZLIB_LEVELS[bytes[1] ?? 0]) ?? 6;
    return { wrapper, level, content: buffer, tail: bytes.subarray(engine.bytesWritten) };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? "too_large" : undefined;
  }
}

/** Compresses another content as the first one was. */
export function fold(content: Uint8Array, { wrapper, level }: Unfolded, tail: Uint8Array): Buffer {
  return Buffer.concat([wrapper === "gzip" ? gzipSync(content, { level }) : deflateSync(content, { level }), tail]);
}

import { isUtf8 } from "node:buffer";

/** How the bytes of a text are read and written. `encode(decode(bytes))` is `bytes`. */
export interface TextEncoding {
  readonly id: "utf8" | "utf16le" | "utf16be" | "latin1";
  decode(bytes: Uint8Array): string;
  encode(text: string): Uint8Array;
}

const UTF8: TextEncoding = {
  id: "utf8",
  decode: (bytes) => asBuffer(bytes).toString("utf8"),
  encode: (text) => Buffer.from(text, "utf8"),
};

/** Every byte is a character of the same number: what an eight-bit code says in ASCII is read, the rest comes back as it was. */
const LATIN1: TextEncoding = {
  id: "latin1",
  decode: (bytes) => asBuffer(bytes).toString("latin1"),
  encode: (text) => Buffer.from(text, "latin1"),
};

const UTF16LE: TextEncoding = {
  id: "utf16le",
  decode: (bytes) => asBuffer(bytes).toString("utf16le"),
  encode: (text) => Buffer.from(text, "utf16le"),
};

const UTF16BE: TextEncoding = {
  id: "utf16be",
  decode: (bytes) => Buffer.from(bytes).swap16().toString("utf16le"),
  encode: (text) => Buffer.from(text, "utf16le").swap16(),
};

/** How the bytes are to be read; undefined for what is no text. A byte order mark is part of the text. */
export function textEncoding(bytes: Uint8Array): TextEncoding | undefined {
  const wide = wideEncoding(bytes);
  if (wide !== undefined) return bytes.length % 2 === 0 ? wide : undefined;
  if (bytes.includes(0)) return undefined;
  return eightBitEncoding(bytes);
}

/** UTF-16, as its mark says, or without one as its zeros do. */
export function wideEncoding(bytes: Uint8Array): TextEncoding | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return UTF16LE;
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return UTF16BE;
  if (isWideText(bytes, 1)) return UTF16LE;
  return isWideText(bytes, 0) ? UTF16BE : undefined;
}

/** A shorter one may be anything, in bytes. */
const LEAST_WIDE = 16;

/** True where hardly a character is outside ASCII, and none is a control character. @param high the place of the upper byte of two */
function isWideText(bytes: Uint8Array, high: 0 | 1): boolean {
  if (bytes.length < LEAST_WIDE || bytes[high] !== 0) return false;
  let plain = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    const low = bytes[at + 1 - high] ?? 0;
    if (bytes[at + high] !== 0) continue;
    if (low < 32 && (low < 8 || low > 13) && low !== 27) return false;
    plain++;
  }
  return plain * 2 >= bytes.length * 0.75;
}

/** UTF-8 where that is what it is; else an eight-bit code, if there are no control characters in it. */
export function eightBitEncoding(bytes: Uint8Array): TextEncoding | undefined {
  if (isUtf8(bytes)) return UTF8;
  return bytes.some((byte) => byte < 32 && (byte < 8 || byte > 13) && byte !== 27) ? undefined : LATIN1;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

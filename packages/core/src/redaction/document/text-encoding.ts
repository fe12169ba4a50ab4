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
  const marked = markedEncoding(bytes);
  if (marked !== undefined) return bytes.length % 2 === 0 ? marked : undefined;
  if (bytes.includes(0)) return undefined;
  return eightBitEncoding(bytes);
}

/** UTF-16, as its mark says. */
export function markedEncoding(bytes: Uint8Array): TextEncoding | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return UTF16LE;
  return bytes[0] === 0xfe && bytes[1] === 0xff ? UTF16BE : undefined;
}

/** UTF-8 where that is what it is; else an eight-bit code, if there are no control characters in it. */
export function eightBitEncoding(bytes: Uint8Array): TextEncoding | undefined {
  if (isUtf8(bytes)) return UTF8;
  return bytes.some((byte) => byte < 32 && (byte < 8 || byte > 13) && byte !== 27) ? undefined : LATIN1;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

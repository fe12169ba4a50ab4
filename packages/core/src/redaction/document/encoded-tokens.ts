import { gunzipSync } from "node:zlib";

/** A run of base64 and what it says. */
export interface EncodedToken {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What a compressed token may unfold to, in bytes; more is not read. */
const MAX_UNFOLDED_BYTES = 16 * 1024 * 1024;
/** Shorter than this no secret fits in. */
const MIN_LENGTH = 24;

// The first characters of what decodes to a printable one, or to the beginning of gzip (H4sI).
const TOKEN = /(?<![A-Za-z0-9+/_-])(?:[CDHI-Za-f])[A-Za-z0-9+/_-]{23,}={0,2}|(?<=[/_-])[CDHI-Za-f][A-Za-z0-9+/]{23,}={0,2}/g;
// Mail and PEM fold base64 into lines.
const FOLDED_HINT = /[A-Za-z0-9+/]{60,76}\r?\n[A-Za-z0-9+/]/;
const FOLDED = /(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{60,76}\r?\n[ \t]{0,16}){1,100000}[A-Za-z0-9+/]{1,76}={0,2}/g;

/** Finds what is text once decoded from base64 (also of URLs, also folded into lines), and unpacks what is gzip in it. */
export function* encodedTokens(text: string): Generator<EncodedToken> {
  for (const { index, 0: token } of text.matchAll(TOKEN)) yield* decoded(token, index);
  if (!FOLDED_HINT.test(text)) return;
  for (const { index, 0: token } of text.matchAll(FOLDED)) yield* decoded(token, index);
}

function* decoded(token: string, start: number): Generator<EncodedToken> {
  if (token.length < MIN_LENGTH) return;
  const end = start + token.length;
  if (token.startsWith("H4sI")) {
    const text = unfolded(Buffer.from(token, "base64"));
    if (text !== undefined) yield { start, end, text };
    return;
  }
  // A look at its beginning settles most: random bytes are no text.
  if (!isText(Buffer.from(token.slice(0, 32), "base64"))) return;
  const bytes = Buffer.from(token, "base64");
  if (isText(bytes)) yield { start, end, text: bytes.toString("utf8") };
}

function unfolded(bytes: Buffer): string | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNFOLDED_BYTES }).toString("utf8");
  } catch {
    return undefined;
  }
}

/** True for what is mostly printable ASCII, and has no control characters. */
function isText(bytes: Uint8Array): boolean {
  let printable = 0;
  for (const byte of bytes) {
    if (byte >= 32 && byte < 127) printable++;
    else if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27) || byte === 127) return false;
  }
  return printable >= bytes.length * 0.75;
}

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
/** In one run: what has more parts than this is a path, or no text. */
const MAX_BEGINNINGS = 8;

// Mail and PEM fold base64 into lines.
const MIN_LINE = 60;
const MAX_LINE = 76;
const FOLDED = /(?:[A-Za-z0-9+/]{60,76}\r?\n[ \t]{0,16}){1,100000}[A-Za-z0-9+/]{1,76}={0,2}/y;

/** Base64, and its form for URLs. */
const IN_TOKEN = charactersOf(/[A-Za-z0-9+/_-]/);
/** Characters behind which no other base64 begins. */
const WITHIN = charactersOf(/[A-Za-z0-9+]/);
/** Characters that may begin what decodes to a printable character, or to gzip (H4sI). */
const FIRST = charactersOf(/[CDHI-Za-f]/);

/** Finds what is text once decoded from base64 (also of URLs, also folded into lines), and unpacks what is gzip in it. */
export function* encodedTokens(text: string): Generator<EncodedToken> {
  let folded = 0;
  for (const [start, end] of runs(text)) {
    if (start >= folded && end - start >= MIN_LINE && end - start <= MAX_LINE && /[\r\n]/.test(text.charAt(end))) {
      FOLDED.lastIndex = start;
      const token = FOLDED.exec(text)?.[0] ?? "";
      folded = start + token.length;
      yield* decoded(token, start);
    }
    const padding = /^={0,2}/.exec(text.slice(end, end + 2))?.[0].length ?? 0;
    for (const from of beginnings(text, start, end)) yield* decoded(text.slice(from, end + padding), from);
  }
}

/** Runs of base64 that are long enough; looks at one character in so many, since each such run holds one of them. */
function* runs(text: string): Generator<readonly [start: number, end: number]> {
  for (let probe = MIN_LENGTH - 1; probe < text.length; probe += MIN_LENGTH) {
    if (!isIn(IN_TOKEN, text, probe)) continue;
    let start = probe;
    while (isIn(IN_TOKEN, text, start - 1)) start--;
    let end = probe + 1;
    while (isIn(IN_TOKEN, text, end)) end++;
    if (end - start >= MIN_LENGTH) yield [start, end];
    // The next probe lies behind this run.
    probe += Math.floor((end - probe) / MIN_LENGTH) * MIN_LENGTH;
  }
}

/** Where base64 may begin in a run: at its beginning, and behind what else these characters are used for: paths, words. */
function beginnings(text: string, start: number, end: number): number[] {
  const places = isIn(FIRST, text, start) ? [start] : [];
  for (let index = start + 1; index <= end - MIN_LENGTH && places.length < MAX_BEGINNINGS; index++) {
    if (isIn(FIRST, text, index) && !isIn(WITHIN, text, index - 1)) places.push(index);
  }
  return places;
}

function isIn(set: Uint8Array, text: string, index: number): boolean {
  return set[text.charCodeAt(index)] === 1;
}

function charactersOf(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 128 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0));
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

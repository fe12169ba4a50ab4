/** The fact of an artifact that tells how many bytes of a begun line were left out of it. */
export const CUT_FACT = "cut_partial_line_bytes";

/** Names of files that hold one JSON value per line. */
const JSON_LINES = /\.(?:jsonl|ndjson)$/i;

/** A last line longer than this is not judged, in bytes. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

export function holdsJsonLines(relative: Buffer): boolean {
  return JSON_LINES.test(relative.toString("latin1"));
}

/** How many bytes to leave off a file: of one of JSON lines, the line that has only begun, unless all is to be kept. */
export function partialLineOf(
  { relative, exact }: { readonly relative: Buffer; readonly exact: boolean },
  sizeBytes: number,
  readAt: ReadAt,
): number {
  return !exact && holdsJsonLines(relative) ? partialLineBytes(sizeBytes, readAt) : 0;
}

/** Reads `length` bytes from `start`. */
export type ReadAt = (start: number, length: number) => Buffer;

/**
 * How many bytes at the end of a file of JSON lines are the beginning of a line that is still being written.
 *
 * A last line without a newline is whole when it parses by itself. A file whose last whole line is no JSON either is no
 * file of JSON lines, whatever its name says, and is left as it is.
 */
export function partialLineBytes(sizeBytes: number, readAt: ReadAt): number {
  const tail = lastLine(sizeBytes, readAt);
  if (tail === undefined || tail.length === 0 || isJson(tail)) return 0;
  const wholeEnd = sizeBytes - tail.length;
  if (wholeEnd === 0) return /^\s*[[{]/.test(tail.toString("latin1")) ? tail.length : 0;
  const previous = lastLine(wholeEnd - 1, readAt);
  const blank = previous?.toString("latin1").trim() === "";
  return blank || (previous !== undefined && isJson(previous)) ? tail.length : 0;
}

/** The bytes between the last newline before `end` and `end`; undefined when they are too many. */
function lastLine(end: number, readAt: ReadAt): Buffer | undefined {
  for (let want = 4096; ; want *= 4) {
    const start = Math.max(0, end - want);
    const bytes = readAt(start, end - start);
    const newline = bytes.lastIndexOf(0x0a);
    if (newline !== -1) return bytes.subarray(newline + 1);
    if (start === 0) return bytes;
    if (want > MAX_LINE_BYTES) return undefined;
  }
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

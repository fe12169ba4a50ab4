import type { ByteStream } from "../../bytes/byte-stream.js";
import type { RedactionPolicy, ScanContext } from "../../ports/redaction-policy.js";
import type { Edit } from "./edit.js";
import { planEdits } from "./plan-edits.js";
import { wideEncoding, textEncoding, type TextEncoding } from "./text-encoding.js";
import type { UnscannedReason } from "./redact-document.js";

/** A secret that stands in a document. */
export interface DocumentFinding {
  readonly rule: string;
  /** from 1 */
  readonly line: number;
  readonly secret: string;
}

/** What a look at a document found, or why there was none. */
export type DocumentFindings =
  | { readonly findings: readonly DocumentFinding[]; readonly unscanned?: undefined }
  | { readonly unscanned: UnscannedReason; readonly findings?: undefined };

/** How much is looked through at once, in bytes. */
const WINDOW_BYTES = 8 * 1024 * 1024;
/** How much of a window is looked at again with the next one: longer than any secret. */
const MARGIN_BYTES = 512 * 1024;

/**
 * Looks for secrets in a document as `redactDocument` and `redactStream` do, and changes nothing. A large one is read window
 * by window; what lies across two windows is found in the second.
 */
export async function findInDocument(
  input: ByteStream,
  policy: RedactionPolicy,
  where: ScanContext,
  windowBytes = WINDOW_BYTES,
  marginBytes = Math.min(MARGIN_BYTES, windowBytes / 2),
): Promise<DocumentFindings> {
  const findings: DocumentFinding[] = [];
  let pending = Buffer.alloc(0);
  let chunks: Uint8Array[] = [];
  let size = 0;
  let line = 1;
  let encoding: TextEncoding | undefined;
  let isFirst = true;

  const look = (isLast: boolean): boolean => {
    pending = Buffer.concat([pending, ...chunks]);
    chunks = [];
    if (isFirst) encoding = wideEncoding(pending);
    isFirst = false;
    const read = encoding ?? textEncoding(isLast ? pending : wholeCharacters(pending));
    if (read === undefined) return false;
    const text = read.decode(pending);
    const cut = isLast
      ? text.length
      : cutBefore(text, text.length - Math.floor((marginBytes * text.length) / pending.length));
    for (const edit of editsBefore(text, cut, policy, where)) {
      findings.push({ rule: edit.rule, secret: edit.secret, line: line + linesIn(text, edit.start) });
    }
    line += linesIn(text, cut);
    pending = pending.subarray(isLast ? pending.length : read.encode(text.slice(0, cut)).length);
    size = pending.length;
    return true;
  };

  for await (const chunk of input) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= windowBytes + pending.length && !look(false)) return { unscanned: "binary" };
  }
  return look(true) ? { findings } : { unscanned: "binary" };
}

function editsBefore(text: string, cut: number, policy: RedactionPolicy, where: ScanContext): readonly Edit[] {
  const part = { isOpen: cut < text.length, isContinued: false };
  return planEdits(text, policy, where, part).edits.filter(({ start }) => start < cut);
}

/** Behind the last line that ends before the place; the place itself within a line that is longer. */
function cutBefore(text: string, place: number): number {
  const newLine = text.lastIndexOf("\n", place - 1);
  return newLine > 0 ? newLine + 1 : place;
}

/** Without a character that is not all there. */
function wholeCharacters(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > bytes.length - 4 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--;
  if ((bytes[end - 1] ?? 0) >= 0xc0) end--;
  return bytes.subarray(0, end);
}

function linesIn(text: string, end: number): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

import type { ByteStream } from "../../bytes/byte-stream.js";
import type { RedactionPolicy, ScanContext } from "../../ports/redaction-policy.js";
import { MAX_ROUNDS } from "../redact-text.js";
import type { Part } from "./json-view.js";
import type { Edit } from "./edit.js";
import { planEdits } from "./plan-edits.js";
import { applyEdits, type UnscannedReason } from "./redact-document.js";
import { eightBitEncoding, wideEncoding, type TextEncoding } from "./text-encoding.js";

/** How much is looked through at once, in bytes. */
const WINDOW_BYTES = 8 * 1024 * 1024;
/** How much of a window waits for the next one: longer than any secret, a private key in base64 included. */
const MARGIN_BYTES = 512 * 1024;
/** A window grows to this where nothing in it can be cut (one string of JSON), in bytes. */
const MAX_WINDOW_BYTES = 64 * 1024 * 1024;
/** Characters before a window that a rule may look at: the name before a value. */
const CONTEXT = 4096;

/** What became of a document that was redacted in passing. */
export interface StreamOutcome {
  matches: Record<string, number>;
  /** set when it is no text, or cannot be cut: what was given out is not the document then */
  unscanned?: UnscannedReason;
}

/** Sizes of the windows; only tests have others. */
export interface StreamSizes {
  readonly windowBytes?: number;
  readonly marginBytes?: number;
  readonly maxWindowBytes?: number;
}

/**
 * Redacts a document of any size, window by window, as `redactDocument` does. A secret that lies across two windows is found:
 * a window ends before its last margin, at the end of a line or of a string of JSON, and what it found there is left to the next.
 *
 * @param outcome filled in on the way; to be read when the stream has ended
 */
export async function* redactStream(
  input: ByteStream,
  policy: RedactionPolicy,
  where: ScanContext,
  outcome: StreamOutcome,
  { windowBytes = WINDOW_BYTES, marginBytes = MARGIN_BYTES, maxWindowBytes = MAX_WINDOW_BYTES }: StreamSizes = {},
): ByteStream {
  const target: Target = { policy, where, matches: outcome.matches };
  let pending: Uint8Array[] = [];
  let size = 0;
  let wanted = windowBytes;
  let marked: TextEncoding | undefined;
  let context = "";
  let isFirst = true;
  for await (const chunk of input) {
    pending.push(chunk);
    size += chunk.length;
    if (size < wanted) continue;
    const bytes = Buffer.concat(pending);
    if (isFirst) marked = wideEncoding(bytes);
    isFirst = false;
    const window = readWindow(bytes, marked);
    if (window === undefined) {
      outcome.unscanned = "binary";
      return;
    }
    const { encoding, text } = window;
    const margin = Math.floor((marginBytes * text.length) / bytes.length);
    const done = redactPart(context, text, margin, false, target);
    if (done === undefined) {
      if (size >= maxWindowBytes) {
        outcome.unscanned = "too_large";
        return;
      }
      pending = [bytes];
      wanted = size * 2;
      continue;
    }
    yield encoding.encode(done.redacted);
    context = text.slice(Math.max(0, done.cut - CONTEXT), done.cut);
    const rest = bytes.subarray(encoding.encode(text.slice(0, done.cut)).length);
    pending = [rest];
    size = rest.length;
    wanted = size + windowBytes;
  }
  const bytes = Buffer.concat(pending);
  if (isFirst) marked = wideEncoding(bytes);
  const encoding = marked !== undefined && bytes.length % 2 === 0 ? marked : rightEncoding(bytes, marked);
  if (encoding === undefined) {
    outcome.unscanned = "binary";
    return;
  }
  const last = redactPart(context, encoding.decode(bytes), 0, true, target);
  if (last !== undefined) yield encoding.encode(last.redacted);
}

function rightEncoding(bytes: Buffer, marked: TextEncoding | undefined): TextEncoding | undefined {
  return marked !== undefined || bytes.includes(0) ? undefined : eightBitEncoding(bytes);
}

/** The text of a window up to its last whole character. */
function readWindow(
  bytes: Buffer,
  marked: TextEncoding | undefined,
): { readonly encoding: TextEncoding; readonly text: string } | undefined {
  let end = bytes.length;
  if (marked !== undefined) return { encoding: marked, text: marked.decode(bytes.subarray(0, end - (end % 2))) };
  // UTF-8: not in the middle of a character, of which all bytes but the first are 10xxxxxx.
  while (end > bytes.length - 4 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--;
  if ((bytes[end - 1] ?? 0) >= 0xc0) end--;
  const part = bytes.subarray(0, end);
  const encoding = rightEncoding(part, undefined);
  return encoding && { encoding, text: encoding.decode(part) };
}

interface Target {
  readonly policy: RedactionPolicy;
  readonly where: ScanContext;
  readonly matches: Record<string, number>;
}

/**
 * Redacts what lies before the last margin.
 *
 * @param context what went before: looked at, not given out again
 * @returns undefined where nothing of it can be cut off
 */
function redactPart(
  context: string,
  text: string,
  margin: number,
  isLast: boolean,
  target: Target,
): { readonly redacted: string; readonly cut: number } | undefined {
  const part = { isOpen: !isLast, isContinued: context !== "" };
  const plan = planEdits(text, target.policy, target.where, part, context);
  let cut = isLast ? text.length : plan.cutBefore(text.length - margin);
  // A line longer than a window is cut anywhere.
  if (cut <= 0 && !plan.isJson) cut = text.length - margin;
  const across = plan.edits.find((edit) => edit.start < cut && cut < edit.end);
  if (across !== undefined) cut = across.start;
  if (cut <= 0 && !isLast) return undefined;
  const edits = plan.edits.filter((edit) => edit.end <= cut);
  const head = text.slice(0, cut);
  return { redacted: edits.length === 0 ? head : redactAgain(head, edits, part, target), cut };
}

/** Applies the edits, and those that show when they are done. */
function redactAgain(text: string, edits: readonly Edit[], part: Part, { policy, where, matches }: Target): string {
  let redacted = applyEdits(text, edits, policy, matches);
  for (let round = 1; round < MAX_ROUNDS; round++) {
    const more = planEdits(redacted.text, policy, where, part, "", redacted.fresh).edits;
    if (more.length === 0) break;
    redacted = applyEdits(redacted.text, more, policy, matches);
  }
  return redacted.text;
}

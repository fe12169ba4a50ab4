import { addMatch } from "../add-matches.js";
import type { RedactionPolicy, ScanContext } from "../../ports/redaction-policy.js";
import { replacementFor } from "../compose-policies.js";
import { MAX_ROUNDS, type RedactedText } from "../redact-text.js";
import { WHOLE } from "./json-view.js";
import type { Edit } from "./edit.js";
import { planEdits } from "./plan-edits.js";
import { textEncoding } from "./text-encoding.js";

/** Why a document was not looked through. */
export type UnscannedReason = "binary" | "too_large";

/** A document without its secrets, or why it was not looked through. */
export type RedactedDocument =
  | {
      /** the very bytes that were given where nothing was found */
      readonly bytes: Uint8Array;
      readonly matches: Readonly<Record<string, number>>;
      readonly unscanned?: undefined;
    }
  | { readonly unscanned: UnscannedReason };

/**
 * Redacts a text whatever it is written in: UTF-8, UTF-16 with a byte order mark, an eight-bit code; plain, JSON or JSON lines
 * (which stay valid, and byte for byte the same elsewhere), with secrets that are escaped, percent-encoded, in base64 or
 * in gzip within base64 (the whole of which goes).
 */
export function redactDocument(bytes: Uint8Array, policy: RedactionPolicy, where: ScanContext): RedactedDocument {
  const encoding = textEncoding(bytes);
  if (encoding === undefined) return { unscanned: "binary" };
  const text = encoding.decode(bytes);
  const redacted = redactDocumentText(text, policy, where);
  return { bytes: redacted.text === text ? bytes : encoding.encode(redacted.text), matches: redacted.matches };
}

/** The same for a text that is a string already, as the cell of a database is. A text without findings is given back as it is. */
export function redactDocumentText(text: string, policy: RedactionPolicy, where: ScanContext): RedactedText {
  const matches: Record<string, number> = {};
  let redacted = text;
  let fresh: ReadonlySet<number> | undefined;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { edits } = planEdits(redacted, policy, where, WHOLE, "", fresh);
    if (edits.length === 0) break;
    ({ text: redacted, fresh } = applyEdits(redacted, edits, policy, matches));
  }
  return { text: redacted, matches };
}

/**
 * Replaces what the edits say, and counts by rule.
 *
 * @returns the text, and where in it replacements begin
 */
export function applyEdits(
  text: string,
  edits: readonly Edit[],
  policy: RedactionPolicy,
  matches: Record<string, number>,
): { readonly text: string; readonly fresh: ReadonlySet<number> } {
  const parts: string[] = [];
  const fresh = new Set<number>();
  let position = 0;
  let length = 0;
  for (const { start, end, rule, secret, isBare } of edits) {
    const replacement = replacementFor(policy, rule, secret);
    const quoted = isBare ? `"${replacement}"` : replacement;
    parts.push(text.slice(position, start), quoted);
    length += start - position;
    fresh.add(isBare ? length + 1 : length);
    length += quoted.length;
    addMatch(matches, rule);
    position = end;
  }
  return { text: parts.join("") + text.slice(position), fresh };
}

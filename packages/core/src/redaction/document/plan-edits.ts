import type { RedactionPolicy, ScanContext } from "../../ports/redaction-policy.js";
import { isReplaced } from "../compose-policies.js";
import { decodedViews } from "./decoded-views.js";
import { encodedTokens } from "./encoded-tokens.js";
import { jsonView, WHOLE } from "./json-view.js";
import type { OriginalRange, TextView } from "./text-view.js";

/** A range of a text that has to go, and the secret that stands there, decoded. */
export interface Edit extends OriginalRange {
  readonly rule: string;
  readonly secret: string;
}

/** What has to go from a text, sorted, none overlapping another. */
export interface EditPlan {
  readonly edits: readonly Edit[];
  readonly isJson: boolean;
  /** a place at or before the given one where the text may be cut: no string of JSON reaches over it */
  cutBefore(position: number): number;
}

/**
 * Looks for secrets in a text as it is, or where it is JSON in its strings by name; then in what its escapes, its percent
 * signs and its base64 stand for.
 *
 * @param context what stands before a text that is not JSON (which is cut behind a value, whose name has been seen)
 */
export function planEdits(
  text: string,
  policy: RedactionPolicy,
  where: ScanContext,
  part = WHOLE,
  context = "",
): EditPlan {
  const json = jsonView(text, part);
  const edits =
    json === undefined
      ? editsBehind(context, text, policy, where)
      : editsOf(json.view.text, policy, where).flatMap((edit) => through(json.view, edit));
  return {
    edits: merged(edits),
    isJson: json !== undefined,
    cutBefore(position) {
      if (json === undefined) return Math.max(text.lastIndexOf("\n", position - 1) + 1, 0);
      return json.cuts.findLast((cut) => cut <= position) ?? 0;
    },
  };
}

function editsBehind(context: string, text: string, policy: RedactionPolicy, where: ScanContext): Edit[] {
  if (context === "") return editsOf(text, policy, where);
  return editsOf(context + text, policy, where)
    .filter(({ start }) => start >= context.length)
    .map((edit) => ({ ...edit, start: edit.start - context.length, end: edit.end - context.length }));
}

function editsOf(text: string, policy: RedactionPolicy, where: ScanContext): Edit[] {
  const edits = plainEdits(text, policy, where);
  for (const view of decodedViews(text)) {
    edits.push(...plainEdits(view.text, policy, where).flatMap((edit) => through(view, edit)));
  }
  for (const { start, end, text: inner } of encodedTokens(text)) {
    if (edits.some((edit) => edit.start <= start && end <= edit.end)) continue;
    const view = jsonView(inner)?.view;
    const [found] = [...plainEdits(inner, policy, where), ...(view ? plainEdits(view.text, policy, where) : [])];
    // Nothing of it may stay: a few characters of base64 tell three quarters of themselves.
    if (found !== undefined) edits.push({ start, end, isBare: false, rule: found.rule, secret: found.secret });
  }
  return edits;
}

function plainEdits(text: string, policy: RedactionPolicy, where: ScanContext): Edit[] {
  return policy
    .scan(text, where)
    .map(({ start, end, rule }) => ({ start, end, isBare: false, rule, secret: text.slice(start, end) }))
    .filter(({ secret }) => !isReplaced(secret));
}

function through(view: TextView, { start, end, rule, secret }: Edit): Edit[] {
  return view.originals(start, end).map((range) => ({ ...range, rule, secret }));
}

/** Edits that overlap as one over all of it, named by the longest, then the leftmost, then the first given. */
function merged(edits: readonly Edit[]): readonly Edit[] {
  const sorted = [...edits].sort((a, b) => a.start - b.start || b.end - a.end);
  const result: Edit[] = [];
  let longest = 0;
  for (const edit of sorted) {
    const last = result.at(-1);
    const length = edit.end - edit.start;
    if (last === undefined || edit.start >= last.end) {
      result.push(edit);
      longest = length;
      continue;
    }
    const { rule, secret } = length > longest ? edit : last;
    longest = Math.max(longest, length);
    const end = Math.max(last.end, edit.end);
    result[result.length - 1] = { start: last.start, end, isBare: last.isBare || edit.isBare, rule, secret };
  }
  return result;
}

import type { RedactionPolicy, ScanContext } from "../../ports/redaction-policy.js";
import { isReplaced } from "../compose-policies.js";
import { decodedViews } from "./decoded-views.js";
import type { Edit } from "./edit.js";
import { encodedTokens } from "./encoded-tokens.js";
import { jsonView, WHOLE } from "./json-view.js";
import { namedEdits } from "./named-edits.js";
import type { OriginalRange, TextView } from "./text-view.js";

/** What has to go from a text, sorted, none overlapping another. */
export interface EditPlan {
  readonly edits: readonly Edit[];
  readonly isJson: boolean;
  /** a place at or before the given one where the text may be cut: no string of JSON reaches over it */
  cutBefore(position: number): number;
}

/**
 * Looks for secrets in a text as it is, or where it is JSON in its strings by name; then in what its escapes, its percent
 * signs and its base64 stand for; and in a bare value, in what its name tells.
 *
 * @param context what stands before a text that is not JSON (which is cut behind a value, whose name has been seen)
 * @param fresh where replacements begin that were made since the text was looked through: only around them may be more
 */
export function planEdits(
  text: string,
  policy: RedactionPolicy,
  where: ScanContext,
  part = WHOLE,
  context = "",
  fresh?: ReadonlySet<number>,
): EditPlan {
  const json = jsonView(text, part);
  const view = json?.view;
  const find: Find =
    fresh === undefined
      ? editsOf
      : (inner, ...rest) => {
          const isFresh = (at: number): boolean =>
            fresh.has(view?.originals(at, at + 1)[0]?.start ?? at - context.length);
          return editsNearReplacements(inner, isFresh, ...rest);
        };
  const edits =
    json === undefined
      ? editsBehind(context, text, policy, where, find)
      : find(json.view.text, policy, where).flatMap((edit) => through(json.view, edit));
  const isWhole = fresh === undefined && context === "" && !part.isOpen && !part.isContinued;
  if (edits.length === 0 && isWhole) edits.push(...namedEdits(text, policy, where));
  return {
    edits: merged(edits),
    isJson: json !== undefined,
    cutBefore(position) {
      if (json === undefined) return Math.max(text.lastIndexOf("\n", position - 1) + 1, 0);
      return json.cuts.findLast((cut) => cut <= position) ?? 0;
    },
  };
}

type Find = (text: string, policy: RedactionPolicy, where: ScanContext) => Edit[];

function editsBehind(context: string, text: string, policy: RedactionPolicy, where: ScanContext, find: Find): Edit[] {
  if (context === "") return find(text, policy, where);
  return find(context + text, policy, where)
    .filter(({ start }) => start >= context.length)
    .map((edit) => moved(edit, -context.length));
}

function moved(edit: Edit, by: number): Edit {
  return { ...edit, start: edit.start + by, end: edit.end + by };
}

/** How far from a replacement it may matter what it replaced. */
const NEIGHBOURHOOD = 128;
/** How far a line may reach beyond that. */
const MAX_LINE = 8192;

function editsNearReplacements(
  text: string,
  isFresh: (position: number) => boolean,
  policy: RedactionPolicy,
  where: ScanContext,
): Edit[] {
  const edits: Edit[] = [];
  for (let at = nextFresh(text, 0, isFresh); at >= 0; ) {
    const from = lineBefore(text, at);
    let to = lineAfter(text, at + NEIGHBOURHOOD);
    // Neighbourhoods that touch are one.
    for (at = nextFresh(text, at + 1, isFresh); at >= 0 && lineBefore(text, at) <= to; ) {
      to = lineAfter(text, at + NEIGHBOURHOOD);
      at = nextFresh(text, at + 1, isFresh);
    }
    edits.push(...editsOf(text.slice(from, to), policy, where).map((edit) => moved(edit, from)));
  }
  return edits;
}

function nextFresh(text: string, from: number, isFresh: (position: number) => boolean): number {
  let at = text.indexOf("[REDACTED:", from);
  while (at >= 0 && !isFresh(at)) at = text.indexOf("[REDACTED:", at + 1);
  return at;
}

/** A part of a text begins with a line, or a word: the second half of a token looks like another one. */
function lineBefore(text: string, position: number): number {
  const from = position - NEIGHBOURHOOD;
  if (from <= 0) return 0;
  const line = text.lastIndexOf("\n", from);
  if (from - line <= MAX_LINE) return line + 1;
  return Math.max(text.lastIndexOf(" ", from), from - MAX_LINE, 0);
}

function lineAfter(text: string, position: number): number {
  const line = text.indexOf("\n", position);
  return Math.min(line < 0 ? text.length : line + 1, position + MAX_LINE);
}

function editsOf(text: string, policy: RedactionPolicy, where: ScanContext): Edit[] {
  const edits = plainEdits(text, policy, where);
  for (const view of decodedViews(text)) {
    edits.push(...plainEdits(view.text, policy, where).flatMap((edit) => through(view, edit)));
  }
  const known = merged(edits);
  for (const { start, end, text: inner } of encodedTokens(text)) {
    if (isCovered(known, start, end)) continue;
    const view = jsonView(inner)?.view;
    const [found] = [...plainEdits(inner, policy, where), ...(view ? plainEdits(view.text, policy, where) : [])];
    // Nothing of it may stay: a few characters of base64 tell three quarters of themselves.
    if (found !== undefined) edits.push({ start, end, isBare: false, rule: found.rule, secret: found.secret });
  }
  return edits;
}

/** True when one of the ranges, sorted and apart, holds all of this one. */
function isCovered(ranges: readonly OriginalRange[], start: number, end: number): boolean {
  let low = 0;
  for (let high = ranges.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((ranges[middle]?.end ?? 0) < end) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low];
  return range !== undefined && range.start <= start;
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

import { type Finding, mergeFindings, type RedactionPolicy, sha256Hex } from "@keepsake/core";
import { isDocumented } from "./documented-examples.js";
import { KeywordAutomaton } from "./keyword-automaton.js";
import { DEFAULT_RULES } from "./rules/default-rules.js";
import type { SecretRule } from "./secret-rule.js";
import { REDACTION_VERSION } from "./version.js";

/** What a lookbehind of a pattern may look at, left of where a match is sought. */
const CONTEXT = 64;

/** Characters; longer than what is named after another name in one value. */
const LONG_MATCH = 1024;

/** A policy that applies a list of rules. */
export function rulePolicy(id: string, rules: readonly SecretRule[]): RedactionPolicy {
  const scanners = rules.map((rule) => new RuleScanner(rule));
  const automaton = new KeywordAutomaton(rules.map((rule) => rule.keywords));
  return {
    id,
    rules: rules.map((rule) => rule.id),
    fingerprint: sha256Hex(JSON.stringify([REDACTION_VERSION, id, rules], (_, value: unknown) => textOf(value))),
    scan(text) {
      const met: (number[] | undefined)[] = [];
      automaton.scan(text, (owner, start) => (met[owner] ??= []).push(start));
      const telling: Finding[] = [];
      const generic: Finding[] = [];
      // In the order of the rules: of two that find the very same range the earlier one names it.
      for (const [index, places] of met.entries()) {
        const scanner = scanners[index];
        // The list has holes: the rules of which no keyword was met.
        if (places === undefined || scanner === undefined) continue;
        (scanner.rule.generic === true ? generic : telling).push(...scanner.scan(text, places));
      }
      if (generic.length === 0) return mergeFindings(telling);
      const known = mergeFindings(telling);
      return mergeFindings([...known, ...generic.filter((finding) => !isKnown(finding, known))]);
    },
  };
}

/** What JSON has no form for: patterns and the functions of rules. */
function textOf(value: unknown): unknown {
  return value instanceof RegExp || typeof value === "function" ? String(value) : value;
}

/** The policy "default": secrets of services, clouds, forges, chats, databases, keys, headers, and named ones. */
export function defaultPolicy(): RedactionPolicy {
  return rulePolicy("default", DEFAULT_RULES);
}

/** True when a telling rule found what a generic one found, or most of it: the rest is an address or punctuation. */
function isKnown({ start, end }: Finding, known: readonly Finding[]): boolean {
  // They are sorted and apart: the first that ends behind `start`.
  let low = 0;
  for (let high = known.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((known[middle]?.end ?? 0) <= start) low = middle + 1;
    else high = middle;
  }
  for (let one = known[low]; one !== undefined && one.start < end; one = known[++low])
    if (one.start <= start || Math.min(end, one.end) - one.start >= 0.4 * (end - start)) return true;
  return false;
}

/** In ascending order; they nearly are, since keywords are met by where they end. */
function ascending(places: readonly number[]): readonly number[] {
  for (let index = 1; index < places.length; index++)
    if ((places[index] ?? 0) < (places[index - 1] ?? 0)) return places.toSorted((a, b) => a - b);
  return places;
}

/** Applies one rule where its keywords stand. Holds patterns only: no state is kept between scans. */
class RuleScanner {
  readonly rule: SecretRule;
  readonly #patterns: readonly RegExp[];

  constructor(rule: SecretRule) {
    this.rule = rule;
    const flag = rule.reach === "keyword" ? "y" : "g";
    this.#patterns = rule.patterns.map((pattern) => new RegExp(pattern.source, pattern.flags.replace("g", flag)));
  }

  scan(text: string, met: readonly number[]): Finding[] {
    const findings: Finding[] = [];
    const { patternsAt, reach } = this.rule;
    const places = ascending(met);
    const masks = patternsAt === undefined ? undefined : places.map((place) => patternsAt(text, place));
    for (const [index, pattern] of this.#patterns.entries()) {
      const wanted =
        masks === undefined ? places : places.filter((_, number) => (((masks[number] ?? 0) >> index) & 1) === 1);
      if (reach === "keyword") this.#atKeywords(pattern, text, wanted, findings);
      else if (reach === undefined) this.#within(pattern, text, 0, text.length, findings);
      else this.#near(pattern, text, wanted, reach, findings);
    }
    return findings;
  }

  #atKeywords(pattern: RegExp, text: string, places: readonly number[], findings: Finding[]): void {
    let done = 0;
    // A keyword within another one ends before it and begins after it.
    for (const place of places) {
      if (place < done) continue;
      pattern.lastIndex = place;
      const match = pattern.exec(text);
      if (match === null) continue;
      const end = this.#add(match, text, 0, findings);
      // What was no secret may hold one; but a long run of keywords is not to be read again from each of them.
      if (end !== undefined || match[0].length > LONG_MATCH) done = place + match[0].length;
    }
  }

  /** Looks through the neighbourhoods of the keywords; those that touch are one. */
  #near(pattern: RegExp, text: string, places: readonly number[], reach: number, findings: Finding[]): void {
    let from = -1;
    let to = -1;
    for (const place of places) {
      if (place - reach > to) {
        if (to >= 0) this.#within(pattern, text, from, to, findings);
        from = Math.max(0, place - reach);
      }
      to = Math.min(text.length, place + reach);
    }
    this.#within(pattern, text, from, to, findings);
  }

  /** Matches that begin from `from` to before `to`, with as much of the text behind as they want. */
  #within(pattern: RegExp, text: string, from: number, to: number, findings: Finding[]): void {
    const offset = Math.max(0, from - CONTEXT);
    let length = to - from + 4 * CONTEXT;
    for (;;) {
      const end = Math.min(text.length, from + length);
      const part = offset === 0 && end === text.length ? text : text.slice(offset, end);
      const found: Finding[] = [];
      let isCut = false;
      pattern.lastIndex = from - offset;
      for (let match = pattern.exec(part); match !== null; match = pattern.exec(part)) {
        if (match.index + offset >= to) break;
        // What reaches the end of the part may go on behind it.
        if (end < text.length && match.index + match[0].length >= part.length - 1) isCut = true;
        if (match[0] === "") pattern.lastIndex++;
        this.#add(match, part, offset, found);
      }
      if (!isCut) {
        findings.push(...found);
        return;
      }
      length *= 8;
    }
  }

  /** @returns where the match ends, if it is a secret */
  #add(match: RegExpExecArray, text: string, offset: number, findings: Finding[]): number | undefined {
    const { id, check } = this.rule;
    const range = match.indices?.groups?.["secret"];
    if (range === undefined)
      throw new TypeError(`A pattern of the rule ${id} has no group "secret" or lacks the flag d.`);
    const [start, end] = range;
    const secret = text.slice(start, end);
    if (start === end || check?.(secret, { text, from: match.index, start, end }) === false) return;
    if (isDocumented(secret)) return;
    findings.push({ start: start + offset, end: end + offset, rule: id });
    return match.index + offset + match[0].length;
  }
}

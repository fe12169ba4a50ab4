import { entropyOf } from "../randomness.js";
import { serve } from "../worker/serve.js";
import type { PlainAllow, PlainRule } from "./plain-rules.js";

interface Question {
  readonly text: string;
  readonly path: string;
}

interface Allow {
  readonly rule: PlainAllow;
  readonly paths: readonly RegExp[];
  readonly patterns: readonly RegExp[];
}

interface Rule {
  readonly rule: PlainRule;
  readonly pattern: RegExp;
  readonly path: RegExp | undefined;
  readonly allow: readonly Allow[];
}

let compiled: readonly Rule[] | undefined;

function compile(data: unknown): readonly Rule[] {
  // The thread is started with the rules that were read; see gitleaksPolicy.
  return (data as readonly PlainRule[]).map((rule) => ({
    rule,
    pattern: new RegExp(rule.pattern, "dgu"),
    path: rule.path === undefined ? undefined : new RegExp(rule.path, "u"),
    allow: rule.allow.map((one) => ({
      rule: one,
      paths: one.paths.map((path) => new RegExp(path, "u")),
      patterns: one.patterns.map((pattern) => new RegExp(pattern, "u")),
    })),
  }));
}

function lineAround(text: string, start: number, end: number): string {
  const newLine = text.indexOf("\n", end);
  return text.slice(text.lastIndexOf("\n", start - 1) + 1, newLine < 0 ? text.length : newLine);
}

function isAllowed(
  { rule, paths, patterns }: Allow,
  path: string,
  secret: string,
  match: string,
  line: () => string,
): boolean {
  const target = rule.target === "secret" ? secret : rule.target === "match" ? match : line();
  const folded = secret.toLowerCase();
  const answers = [
    ...(paths.length > 0 ? [paths.some((pattern) => pattern.test(path))] : []),
    ...(patterns.length > 0 ? [patterns.some((pattern) => pattern.test(target))] : []),
    ...(rule.words.length > 0 ? [rule.words.some((word) => folded.includes(word))] : []),
  ];
  return answers.length > 0 && (rule.all ? answers.every(Boolean) : answers.some(Boolean));
}

serve((question, data, tellBusy) => {
  compiled ??= compile(data);
  const { text, path } = question as Question;
  const folded = text.toLowerCase();
  const findings: { start: number; end: number; rule: string }[] = [];
  for (const [index, { rule, pattern, path: place, allow }] of compiled.entries()) {
    if (rule.keywords.length > 0 && !rule.keywords.some((keyword) => folded.includes(keyword))) continue;
    if (place !== undefined && !place.test(path)) continue;
    tellBusy(index);
    for (const match of text.matchAll(pattern)) {
      // As gitleaks does: the group that is named, else the first that holds something, else all of it.
      const indices = match.indices ?? [];
      const chosen =
        rule.secretGroup > 0
          ? indices[rule.secretGroup]
          : indices.slice(1).find((range) => range !== undefined && range[1] > range[0]);
      const [start, end] = chosen ?? [match.index, match.index + match[0].length];
      const secret = text.slice(start, end);
      if (secret === "" || (rule.entropy > 0 && entropyOf(secret) <= rule.entropy)) continue;
      if (allow.some((one) => isAllowed(one, path, secret, match[0], () => lineAround(text, start, end)))) continue;
      findings.push({ start, end, rule: rule.id });
    }
  }
  return findings;
});

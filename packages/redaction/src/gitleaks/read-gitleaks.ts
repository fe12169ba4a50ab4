import { KeepsakeError } from "@keepsake/core";
import { parse } from "smol-toml";
import { z } from "zod";
import type { PlainAllow, PlainRule, Untranslated } from "./plain-rules.js";
import { translateRe2 } from "./re2.js";

const texts = z.array(z.string()).default([]);
const allowlist = z.looseObject({
  condition: z.string().default("OR"),
  paths: texts,
  regexes: texts,
  regexTarget: z.string().default("secret"),
  stopwords: texts,
  targetRules: texts,
});
const rule = z.looseObject({
  id: z.string().min(1),
  regex: z.string().optional(),
  path: z.string().optional(),
  secretGroup: z.int().nonnegative().default(0),
  entropy: z.number().default(0),
  keywords: texts,
  allowlist: allowlist.optional(),
  allowlists: z.array(allowlist).default([]),
});
const file = z.looseObject({
  extend: z.unknown().optional(),
  allowlist: allowlist.optional(),
  allowlists: z.array(allowlist).default([]),
  rules: z.array(rule).default([]),
});

type Allowlist = z.infer<typeof allowlist>;

/** The rules of a file of gitleaks, and by name those that are not applied. */
export interface GitleaksRules {
  readonly rules: readonly PlainRule[];
  readonly untranslated: readonly Untranslated[];
}

/**
 * Reads a `gitleaks.toml` (https://github.com/gitleaks/gitleaks#configuration).
 *
 * @param name of the file, for messages
 * @throws KeepsakeError `E_CONFIG` for what is no TOML or has no such rules
 */
export function readGitleaks(text: string, name: string): GitleaksRules {
  const { rules, allowlist: general, allowlists, extend } = parsed(text, name);
  const untranslated: Untranslated[] = [];
  if (extend !== undefined) untranslated.push({ rule: "extend", reason: "other files of rules are not read" });
  const shared = [...(general ? [general] : []), ...allowlists];
  const translated = rules.flatMap((one): PlainRule[] => {
    if (one.regex === undefined) {
      untranslated.push({
        rule: one.id,
        reason: "it has no regex: what is found by its path alone has no secret to replace",
      });
      return [];
    }
    try {
      const own = [...(one.allowlist ? [one.allowlist] : []), ...one.allowlists];
      const meant = shared.filter(({ targetRules }) => targetRules.length === 0 || targetRules.includes(one.id));
      return [
        {
          id: one.id.toLowerCase().replaceAll(/[^a-z0-9_-]/g, "-"),
          pattern: translateRe2(one.regex),
          keywords: one.keywords.map((keyword) => keyword.toLowerCase()),
          secretGroup: one.secretGroup,
          entropy: one.entropy,
          path: one.path === undefined ? undefined : translateRe2(one.path),
          allow: [...own, ...meant].map(plainAllow),
        },
      ];
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      untranslated.push({ rule: one.id, reason: error.message });
      return [];
    }
  });
  return { rules: translated, untranslated };
}

function parsed(text: string, name: string): z.infer<typeof file> {
  let data: unknown;
  try {
    data = parse(text);
  } catch (cause) {
    throw new KeepsakeError("E_CONFIG", `${name} is no TOML.`, { cause, context: { file: name } });
  }
  const result = file.safeParse(data);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.map(String).join(".")}: ${issue.message}`);
  throw new KeepsakeError("E_CONFIG", `${name} is no configuration of gitleaks: ${problems.join("; ")}.`, {
    context: { file: name },
  });
}

function plainAllow({ condition, paths, regexes, regexTarget, stopwords }: Allowlist): PlainAllow {
  return {
    all: /^(?:and|&&)$/i.test(condition),
    paths: paths.map((path) => translateRe2(path)),
    patterns: regexes.map((regex) => translateRe2(regex)),
    target: regexTarget === "match" || regexTarget === "line" ? regexTarget : "secret",
    words: stopwords.map((word) => word.toLowerCase()),
  };
}

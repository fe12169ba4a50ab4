import { createHmac, timingSafeEqual } from "node:crypto";
import { type Finding, type RedactionPolicy, replacementFor, type ScanContext } from "@keepsake/core";
import { globPattern } from "./glob-pattern.js";

/** What is found and yet stays. */
export interface AllowList {
  /** globs over the path in the bundle or the state key: `*` within a part, `**` over parts */
  readonly paths?: readonly string[];
  /** ids of rules */
  readonly rules?: readonly string[];
  /** `table.column` of a database; `*` for any table or column */
  readonly columns?: readonly string[];
  /** keyed hashes of values, eight or more hex digits of the HMAC: those of a keyed replacement */
  readonly values?: readonly string[];
}

export interface Governance {
  readonly allow?: AllowList;
  /** the key of the hashes in replacements and in `allow.values` */
  readonly key?: string;
  /** `[REDACTED:<rule>:<8 hex>]`: equal secrets stay recognisable, by nobody without the key guessable. Needs a key. */
  readonly keyedTokens?: boolean;
}

/** In a line with this word nothing is a secret. */
const MARKER = "keepsake:allow";

/** The policy without what is allowed, and with keyed replacements if asked. */
export function governedPolicy(
  policy: RedactionPolicy,
  { allow = {}, key, keyedTokens = false }: Governance,
): RedactionPolicy {
  if (key === undefined && (keyedTokens || (allow.values ?? []).length > 0))
    throw new TypeError("Keyed replacements and allowed values need a key.");
  const paths = (allow.paths ?? []).map((glob) => globPattern(glob, "/"));
  const columns = (allow.columns ?? []).map((glob) => globPattern(glob, "."));
  const rules = new Set(allow.rules);
  const values = (allow.values ?? []).map((value) => Buffer.from(value.toLowerCase()));

  const isOutside = ({ path, column }: ScanContext): boolean =>
    paths.some((pattern) => pattern.test(path)) || (column !== undefined && columns.some((one) => one.test(column)));

  const isAllowed = (text: string, { start, end, rule }: Finding): boolean => {
    if (rules.has(rule) || hasMarker(text, start, end)) return true;
    if (values.length === 0 || key === undefined) return false;
    const hash = keyedHash(key, text.slice(start, end));
    return values.some((value) => isSame(value, Buffer.from(hash.slice(0, value.length))));
  };

  const { fingerprint } = policy;
  const governed: RedactionPolicy = {
    ...(fingerprint === undefined
      ? {}
      : { fingerprint: keyedHash(key ?? "", JSON.stringify([fingerprint, allow, keyedTokens])) }),
    id: policy.id,
    rules: policy.rules.filter((rule) => !rules.has(rule)),
    scan(text, where) {
      return isOutside(where) ? [] : policy.scan(text, where).filter((finding) => !isAllowed(text, finding));
    },
  };
  if (keyedTokens && key !== undefined)
    return { ...governed, replacement: (rule, secret) => `[REDACTED:${rule}:${keyedHash(key, secret).slice(0, 8)}]` };
  if (policy.replacement === undefined) return governed;
  return { ...governed, replacement: (rule, secret) => replacementFor(policy, rule, secret) };
}

function keyedHash(key: string, value: string): string {
  return createHmac("sha256", key).update(value, "utf8").digest("hex");
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function hasMarker(text: string, start: number, end: number): boolean {
  const from = text.lastIndexOf("\n", Math.max(0, start - 1)) + 1;
  const newLine = text.indexOf("\n", end);
  const to = newLine < 0 ? text.length : newLine;
  // Where one line is a whole file, the marker is looked for near by: it is written beside what it means.
  return text.slice(Math.max(from, start - 4096), Math.min(to, end + 4096)).includes(MARKER);
}

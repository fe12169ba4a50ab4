import type { RedactionPolicy, ScanContext } from "../../ports/redaction-policy.js";
import { isReplaced } from "../compose-policies.js";
import type { Edit } from "./edit.js";
import { isPairName, isPairValue } from "./name-and-value.js";

/** A longer text is no bare value, in characters. */
const LONGEST = 2100;

/**
 * What only its name tells of a text that is a bare value: of a cell its column or the key beside it, of a file its own name. The
 * policy is shown `"API_TOKEN": "…"`, as in JSON.
 */
export function namedEdits(text: string, policy: RedactionPolicy, where: ScanContext): Edit[] {
  if (text.length > LONGEST) return [];
  const value = text.trim();
  if (!isPairValue(value)) return [];
  const at = text.indexOf(value);
  // Values of settings are kept as JSON at times, in quotes of their own.
  const quote = /^(["']).*\1$/.test(value) ? "" : value.includes('"') ? "'" : '"';
  for (const name of (where.names ?? [nameOfFile(where.path)]).filter(isPairName)) {
    const before = `"${name}": ${quote}`;
    const edits = policy.scan(before + value + quote, where).flatMap(({ start, end, rule }): Edit[] => {
      const from = Math.max(0, start - before.length);
      const to = Math.min(value.length, end - before.length);
      const secret = value.slice(from, to);
      return from < to && !isReplaced(secret) ? [{ start: at + from, end: at + to, isBare: false, rule, secret }] : [];
    });
    if (edits.length > 0) return edits;
  }
  return [];
}

function nameOfFile(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/(?<=.)\.\w{1,8}$/, "");
}

import type { Finding, RedactionPolicy } from "@keepsake/core";

export interface MyRedactionOptions {
  /** what every token begins with; default "acme_" */
  readonly prefix?: string | undefined;
}

const RULE = "service-token";

/**
 * Finds tokens of a service: a prefix and 24 or more letters and digits.
 *
 * `scan` is asked of every text of a memory, also of very long ones, so its expression must not try the same characters
 * again and again. It answers ranges in UTF-16 code units, which is what an expression without the flag `u` counts.
 */
export function myRedaction({ prefix = "acme_" }: MyRedactionOptions = {}): RedactionPolicy {
  const token = new RegExp(`(?<![A-Za-z0-9_])${escaped(prefix)}[A-Za-z0-9]{24,}`, "g");
  return {
    id: "my-redaction",
    rules: [RULE],
    // `matchAll` works on a copy of the expression: nothing is kept between calls.
    scan: (text) => Array.from(text.matchAll(token), findingOf),
  };
}

/** Where it is and what it is: never the value. */
function findingOf({ index, 0: value }: RegExpExecArray): Finding {
  return { start: index, end: index + value.length, rule: RULE };
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, (character) => `\\${character}`);
}

import { addMatch } from "../add-matches.js";
import type { RedactionPolicy, ScanContext } from "../../ports/redaction-policy.js";
import { isReplaced, replacementFor } from "../compose-policies.js";

/** Bytes without the secrets that were seen in them, and how many there were by rule. */
export interface MaskedBytes {
  /** the very bytes that were given where nothing was found */
  readonly bytes: Uint8Array;
  readonly matches: Readonly<Record<string, number>>;
}

/** Runs of text in bytes that are none as a whole, of one byte a character and of two. Shorter ones hold no secret. */
const RUNS = /[\t\n\r\x20-\x7e]{8,}/g;
const WIDE_RUNS = /(?:[\t\n\r\x20-\x7e]\0){7,}[\t\n\r\x20-\x7e]/g;

/**
 * Overwrites secrets in the runs of plain text (an eight-bit code, UTF-16) within bytes of an unknown format, each by a
 * replacement of its own length: formats that say how long their texts are (MessagePack, Protocol Buffers, pickles) stay what
 * they are. What is compressed, encrypted or otherwise written is not seen.
 */
export function maskInBytes(bytes: Uint8Array, policy: RedactionPolicy, where: ScanContext): MaskedBytes {
  const masked = Buffer.from(bytes);
  const matches: Record<string, number> = {};
  for (const run of masked.toString("latin1").matchAll(RUNS)) maskRun(run.index, run[0].length, 1);
  if (masked.includes(0)) {
    for (const run of masked.toString("latin1").matchAll(WIDE_RUNS)) maskRun(run.index, (run[0].length + 1) / 2, 2);
  }
  return { bytes: Object.keys(matches).length === 0 ? bytes : masked, matches };

  function maskRun(from: number, length: number, width: 1 | 2): void {
    // The byte before a text that says how long it is may be a letter itself, and part a token from its boundary.
    for (const skipped of [0, 1]) {
      const run = masked.toString("latin1", from + skipped * width, from + length * width);
      const text = width === 1 ? run : run.replaceAll("\0", "");
      for (const { start, end, rule } of policy.scan(text, where)) {
        const secret = text.slice(start, end);
        if (isReplaced(secret) || secret.startsWith(MARK)) continue;
        const replacement = replacementFor(policy, rule, secret).slice(0, secret.length).padEnd(secret.length, "*");
        for (let at = 0; at < replacement.length; at++)
          masked[from + (skipped + start + at) * width] = replacement.charCodeAt(at);
        addMatch(matches, rule);
      }
    }
  }
}

/** How every replacement begins, also one that was cut. */
const MARK = "[REDACTED";

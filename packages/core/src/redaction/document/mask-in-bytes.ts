import type { RedactionPolicy, ScanContext } from "../../ports/redaction-policy.js";
import { isReplaced, replacementFor } from "../compose-policies.js";

/** Bytes without the secrets that were seen in them, and how many there were by rule. */
export interface MaskedBytes {
  /** the very bytes that were given where nothing was found */
  readonly bytes: Uint8Array;
  readonly matches: Readonly<Record<string, number>>;
}

/** Runs of text in bytes that are none as a whole. Shorter ones hold no secret. */
const RUNS = /[\t\n\r\x20-\x7e]{8,}/g;

/**
 * Overwrites secrets in the runs of plain text within bytes of an unknown format, each by a replacement of its own length:
 * formats that say how long their texts are (MessagePack, Protocol Buffers, pickles) stay what they are. What is compressed,
 * encrypted or otherwise written is not seen.
 */
export function maskInBytes(bytes: Uint8Array, policy: RedactionPolicy, where: ScanContext): MaskedBytes {
  const masked = Buffer.from(bytes);
  const matches: Record<string, number> = {};
  for (const run of masked.toString("latin1").matchAll(RUNS)) {
    // The byte before a text that says how long it is may be a letter itself, and part a token from its boundary.
    for (const skipped of [0, 1]) {
      const from = run.index + skipped;
      const text = masked.toString("latin1", from, run.index + run[0].length);
      for (const { start, end, rule } of policy.scan(text, where)) {
        const secret = text.slice(start, end);
        if (isReplaced(secret) || secret.startsWith(MARK)) continue;
        const replacement = replacementFor(policy, rule, secret).slice(0, secret.length).padEnd(secret.length, "*");
        masked.write(replacement, from + start, "latin1");
        matches[rule] = (matches[rule] ?? 0) + 1;
      }
    }
  }
  return { bytes: Object.keys(matches).length === 0 ? bytes : masked, matches };
}

/** How every replacement begins, also one that was cut. */
const MARK = "[REDACTED";

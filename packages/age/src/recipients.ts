import { KeepsakeError } from "@keepsake/core";
import { Encrypter } from "age-encryption";

/** Prefixes of recipients that a quantum computer could not break; age never mixes them with others. */
const POST_QUANTUM = ["age1pq1", "age1tagpq1"];
const FINGERPRINT_CHARACTERS = 8;

/** What the manifest says of a recipient: its last eight characters. */
export function recipientFingerprint(recipient: string): string {
  return recipient.slice(-FINGERPRINT_CHARACTERS);
}

/**
 * Checks recipients and drops duplicates; the order stays.
 *
 * @throws KeepsakeError `E_RECIPIENT` naming the index of the first that is malformed; its text is never repeated, for it
 *   may be a secret put in the wrong place
 */
export function parseRecipients(recipients: readonly string[]): readonly string[] {
  const parsed = [...new Set(recipients.map((text, index) => parseRecipient(text.trim(), index)))];
  const isPostQuantum = (recipient: string): boolean => POST_QUANTUM.some((prefix) => recipient.startsWith(prefix));
  if (parsed.some(isPostQuantum) && !parsed.every(isPostQuantum)) {
    throw new KeepsakeError("E_RECIPIENT", "Post-quantum recipients are mixed with others.", {
      hint: "Use either alone: a file is as weak as its weakest recipient.",
    });
  }
  return parsed;
}

function parseRecipient(text: string, index: number): string {
  const problem = recipientProblem(text);
  if (problem === undefined) return text;
  const { what, hint } = problem;
  throw new KeepsakeError("E_RECIPIENT", `The recipient at index ${index} is ${what}.`, { context: { index }, hint });
}

/** What is wrong with a recipient; the text is not repeated, for it may be a secret. */
export function recipientProblem(text: string): { readonly what: string; readonly hint: string } | undefined {
  if (/^AGE-(SECRET-KEY|PLUGIN)-/i.test(text)) {
    return {
      what: "an identity, which is secret, and not a recipient",
      hint: "Give the public key: it begins with age1.",
    };
  }
  if (/^(ssh-|ecdsa-)/.test(text)) {
    return { what: "an SSH key, which is not supported", hint: "Make an age identity: keepsake keygen." };
  }
  try {
    new Encrypter().addRecipient(text);
    return undefined;
  } catch {
    // The library's error is left out: it may quote the text.
    return { what: text === "" ? "empty" : "not an age recipient", hint: "A recipient begins with age1." };
  }
}

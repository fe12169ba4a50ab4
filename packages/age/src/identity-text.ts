import { KeepsakeError } from "@keepsake/core";
import { Decrypter } from "age-encryption";

/**
 * The identities in a file as `age-keygen` writes it: one a line, with comments (`#`) and blank lines, LF or CRLF.
 *
 * @param source what to call the file in errors
 * @throws KeepsakeError `E_IDENTITY` naming file and line number, never the line
 */
export function parseIdentities(text: string, source: string): readonly string[] {
  const identities: string[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    identities.push(parseIdentity(line, source, index + 1));
  }
  if (identities.length > 0) return identities;
  throw new KeepsakeError("E_IDENTITY", `${source} holds no identity.`, { context: { file: source } });
}

function parseIdentity(text: string, source: string, line: number): string {
  try {
    new Decrypter().addIdentity(text);
    return text;
  } catch {
    // The library's error is left out: it may quote the secret.
    throw new KeepsakeError("E_IDENTITY", `${source}, line ${line}: ${problemWith(text)}.`, {
      context: { file: source, line },
      hint: "An identity begins with AGE-SECRET-KEY-1 or AGE-SECRET-KEY-PQ-1.",
    });
  }
}

function problemWith(text: string): string {
  if (/^age1/i.test(text)) return "this is a recipient, not an identity";
  if (/^AGE-PLUGIN-/i.test(text)) return "identities of age plugins are not supported";
  if (/^-----BEGIN|^ssh-/.test(text)) return "SSH keys are not supported";
  return "this is not an age identity";
}

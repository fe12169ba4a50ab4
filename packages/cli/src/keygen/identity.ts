import { open } from "node:fs/promises";
import { fromSystemError } from "@keepsake/core";

/** An age identity and the recipient it decrypts for. */
export interface Identity {
  /** "AGE-SECRET-KEY-1…" */
  readonly identity: string;
  /** "age1…" */
  readonly recipient: string;
}

/** A new X25519 identity. */
export async function makeIdentity(): Promise<Identity> {
  const { generateIdentity, identityToRecipient } = await import("age-encryption");
  const identity = await generateIdentity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** The text of an identity file, as `age-keygen` writes it. */
export function identityText({ identity, recipient }: Identity, nowMs: number): string {
  const created = new Date(nowMs).toISOString().replace(/\.\d+Z$/, "Z");
  return `# created: ${created}\n# public key: ${recipient}\n${identity}\n`;
}

/**
 * Writes an identity file that only its owner can read, and has it on the disk before anything is encrypted to it.
 *
 * @throws KeepsakeError `E_ALREADY_EXISTS`: an identity is never overwritten, what was encrypted to it would be lost
 */
export async function writeIdentity(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fromSystemError(error, `The identity file ${JSON.stringify(path)} could not be written`, { path });
  }
}

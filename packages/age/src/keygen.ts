/** A new identity and the recipient to encrypt to it. */
export interface KeyPair {
  /** `AGE-SECRET-KEY-…`: secret */
  readonly identity: string;
  /** `age1…`: public */
  readonly recipient: string;
}

/** @param options.postQuantum make an ML-KEM-768 + X25519 identity (`age1pq1…`), which age before 1.3 does not know */
export async function generateIdentity(options: { readonly postQuantum?: boolean } = {}): Promise<KeyPair> {
  const { generateHybridIdentity, generateX25519Identity, identityToRecipient } = await import("age-encryption");
  const identity = await (options.postQuantum === true ? generateHybridIdentity() : generateX25519Identity());
  return { identity, recipient: await identityToRecipient(identity) };
}

/** An identity file as `age-keygen` writes it; its owner alone should be able to read it (0600). */
export function identityFileText({ identity, recipient }: KeyPair, createdAt: Date): string {
  const created = createdAt.toISOString().replace(/\.\d+Z$/, "Z");
  return `# created: ${created}\n# public key: ${recipient}\n${identity}\n`;
}

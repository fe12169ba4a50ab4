import { open } from "node:fs/promises";

/** How files begin that hold something encrypted and are texts to who looks through them. */
const ENCRYPTED_TEXTS = ["-----BEGIN AGE ENCRYPTED FILE-----", "-----BEGIN PGP MESSAGE-----", "$ANSIBLE_VAULT;"];
const ENCRYPTED = ["age-encryption.org/v1\n", "Salted__"];
const ZIP = "PK\u0003\u0004";

function isEncryptedBinary(start: Buffer): boolean {
  const text = start.toString("latin1");
  if (ENCRYPTED.some((one) => text.startsWith(one))) return true;
  // The first bit of the flags: encrypted (APPNOTE.TXT, 4.4.4).
  if (text.startsWith(ZIP)) return ((start[6] ?? 0) & 1) === 1;
  // OpenPGP (RFC 4880, 4.2): packets 1 and 3, a session key for somebody or by a passphrase, in either form.
  const tag = start[0] ?? 0;
  return [0x84, 0x85, 0x86, 0x8c, 0x8d, 0x8e, 0xc1, 0xc3].includes(tag);
}

/**
 * Why a file was not looked through: what the look itself said, or that it holds something encrypted. An encrypted text in
 * ASCII is a text like any other to who looks through it.
 */
export async function contentReason(file: string, said: string | undefined): Promise<string | undefined> {
  await using handle = await open(file, "r");
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
  const start = buffer.subarray(0, bytesRead);
  if (ENCRYPTED_TEXTS.some((one) => start.toString("latin1").startsWith(one))) return "encrypted";
  return (said === "binary" || said === "too_large") && isEncryptedBinary(start) ? "encrypted" : said;
}

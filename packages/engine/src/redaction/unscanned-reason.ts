import { open } from "node:fs/promises";

/** How files begin that hold something encrypted, as bytes of one character each. */
const ENCRYPTED: readonly RegExp[] = [
  /^age-encryption\.org\/v1\n/,
  /^-----BEGIN AGE ENCRYPTED FILE-----/,
  /^-----BEGIN PGP MESSAGE-----/,
  /^Salted__/,
  /^\$ANSIBLE_VAULT;/,
  // OpenPGP: packets 1 and 3, a session key for somebody or by a passphrase, in the old form and the new one.
  /^(?:[\x84-\x87\x8c-\x8f]|\xc1|\xc3)[\s\S]{1,5}[\x02-\x06]/,
  // ZIP: a first file whose flag says that it is encrypted.
  /^PK\x03\x04..[\x01\x03\x05\x07\x09\x0b\x0d\x0f]/s,
];

/**
 * Why a file was not looked through: what the look itself said, or that it holds something encrypted. An encrypted text in
 * ASCII is a text like any other to who looks through it.
 */
export async function contentReason(file: string, said: string | undefined): Promise<string | undefined> {
  await using handle = await open(file, "r");
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
  const start = buffer.toString("latin1", 0, bytesRead);
  const isBinaryKind = said === "binary" || said === "too_large";
  const isEncrypted = ENCRYPTED.some((pattern, index) => (index < 5 || isBinaryKind) && pattern.test(start));
  return isEncrypted ? "encrypted" : said;
}

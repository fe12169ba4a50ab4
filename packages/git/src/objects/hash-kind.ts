/** How a repository names its objects (git's `extensions.objectformat`). */
export interface HashKind {
  readonly algorithm: "sha1" | "sha256";
  /** bytes of an object id */
  readonly bytes: 20 | 32;
}

export const SHA1: HashKind = { algorithm: "sha1", bytes: 20 };
export const SHA256: HashKind = { algorithm: "sha256", bytes: 32 };

/** True for the full hexadecimal form of an object id of this kind, in lower case. */
export function isOid(text: string, kind: HashKind): boolean {
  return text.length === kind.bytes * 2 && /^[0-9a-f]+$/.test(text);
}

/** True for the id of zeros, which stands for "no object". */
export function isZeroOid(oid: string): boolean {
  return /^0+$/.test(oid);
}

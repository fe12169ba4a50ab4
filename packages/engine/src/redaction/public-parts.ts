/** Blocks that say themselves that they are no secret, and keys of SSH as `authorized_keys` has them. */
const BLOCK =
  /-----BEGIN (?:[A-Z0-9 ]{0,30} )?(?:PUBLIC KEY|CERTIFICATE(?: REQUEST)?|X509 CRL|PKCS7|CMS|SSH2 PUBLIC KEY)(?: BLOCK)?-----(?:[^-]|-(?!----END)){1,20000}(?:-----END [A-Z0-9 ]{1,40}-----)?/g;
const SSH_KEY =
  /(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d{3}|sk-(?:ssh|ecdsa)[\w@.-]{1,40}) (AAAA[A-Za-z0-9+/=]{16,8192})/g;

/**
 * What of a text is public by its own word, unfolded: the private key holds the same numbers, in base64 at times in the very same
 * characters (an RSA key of OpenSSH holds its modulus twice, a key of SEC 1 ends with its point).
 */
export function publicParts(text: string): readonly string[] {
  const parts: string[] = [];
  if (text.includes("-----BEGIN ")) for (const [block] of text.matchAll(BLOCK)) parts.push(...spellings(block));
  if (text.includes(" AAAA")) for (const [, key = ""] of text.matchAll(SSH_KEY)) parts.push(...spellings(key));
  return parts;
}

/** As it stands, in one line, and cut into lines as the other formats have them. */
function spellings(part: string): readonly string[] {
  const body = part.replace(/^-----[^\n]*?-----/, "");
  const oneLine = body.replaceAll(/\\[nr]|\s+/g, "");
  const lines = [64, 70, 76].map((length) => oneLine.replaceAll(new RegExp(`.{${String(length)}}`, "g"), "$&\n"));
  return [part, oneLine, ...lines];
}

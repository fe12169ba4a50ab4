/** So much of a long secret tells its kind and nothing more. */
const SHOWN = 4;
const LONG = 24;

/** A secret as it may be shown: how it begins, if it is long and of one line, and how long it is. */
export function maskedSecret(secret: string): string {
  const start = secret.length >= LONG && /^[\x21-\x7e]{4}/.test(secret) ? secret.slice(0, SHOWN) : "";
  return `${start}… (${String(secret.length)} characters)`;
}

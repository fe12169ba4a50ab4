const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const DIGITS = "0123456789";

const ALPHABETS: Readonly<Record<string, string>> = {
  alnum: UPPER + LOWER + DIGITS,
  letter: UPPER + LOWER,
  lower: LOWER + DIGITS,
  capital: UPPER + DIGITS,
  upper: `${UPPER}234567`,
  bech: "qpzry9x8gf2tvdw0s3jn54khce6mua7l",
  base64: `${UPPER}${LOWER}${DIGITS}+/`,
  url: `${UPPER}${LOWER}${DIGITS}-_`,
  hex: "0123456789abcdef",
  heX: "0123456789ABCDEF",
  digit: DIGITS,
};

/** A sample with its generated parts filled in, and where the secret is; absent when none is marked. */
export interface ExpandedSample {
  readonly text: string;
  readonly secret?: { readonly start: number; readonly end: number };
}

/**
 * Fills in a rule's sample. `{alnum:36}` becomes 36 random characters (alphabets: alnum, letter, lower, capital, upper (base32),
 * bech, base64, url, hex, heX, digit), `{uuid}` a random UUID, `{b64url:text}` the text in braces in base64url, `{}` nothing:
 * it parts a literal that would itself look like a secret. `«` and `»` enclose what is to be found.
 *
 * @param random numbers from 0 to below 1
 */
export function expandSample(sample: string, random: () => number = Math.random): ExpandedSample {
  const marked = sample
    .replaceAll(/\{b64url:([^}]*)\}/g, (_, text: string) => Buffer.from(`{${text}}`).toString("base64url"))
    .replaceAll("{uuid}", "{hex:8}-{hex:4}-4{hex:3}-8{hex:3}-{hex:12}")
    .replaceAll(/\{([A-Za-z0-9]+):(\d+)\}/g, (_, name: string, count: string) => generate(name, Number(count), random))
    .replaceAll("{}", "");
  const start = marked.indexOf("«");
  const end = marked.indexOf("»") - 1;
  const text = marked.replaceAll(/[«»]/g, "");
  return start < 0 ? { text } : { text, secret: { start, end } };
}

function generate(name: string, count: number, random: () => number): string {
  const alphabet = ALPHABETS[name];
  if (alphabet === undefined) throw new TypeError(`There is no alphabet ${name}.`);
  return Array.from({ length: count }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
}

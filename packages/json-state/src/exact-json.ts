/** A number of JSON text that this program could not give back as it is. */
export class InexactNumberError extends Error {
  override readonly name = "InexactNumberError";
}

/** Strings (passed over), or numbers. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

/**
 * Refuses JSON text whose numbers would come back as other ones: integers beyond 2^53 that no double is, more digits than
 * a double holds, and what overflows or vanishes.
 *
 * @param text valid JSON
 * @throws InexactNumberError without the number itself: it is content
 */
export function refuseInexactNumbers(text: string): void {
  for (const [token] of text.matchAll(TOKENS)) {
    if (!token.startsWith('"') && !isExact(token)) throw new InexactNumberError("a number is too precise or too large");
  }
}

function isExact(token: string): boolean {
  const value = Number(token);
  return Number.isFinite(value) && decimalOf(token) === decimalOf(String(value));
}

/** One spelling per number: sign, digits without zeros around them, and the power of ten of the last digit. */
function decimalOf(text: string): string {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${mantissa.startsWith("-") ? "-" : ""}${significant}e${String(power)}`;
}

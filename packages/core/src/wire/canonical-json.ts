import canonicalize from "canonicalize";
import type { JsonValue } from "../json.js";

/**
 * The RFC 8785 (JSON Canonicalization Scheme) text of a value: equal values give equal bytes.
 *
 * @throws TypeError when the value is no JSON
 */
export function canonicalJson(value: JsonValue): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("Only JSON values have a canonical form.");
  return text;
}

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { JsonObject, JsonValue } from "../json.js";

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

/** So many items of a list are put into its digest at a time. */
const ITEMS = 256;

/**
 * SHA-256 of the UTF-8 of {@link canonicalJson}, as 64 lower-case hex digits. Long lists among the members of the value are
 * never in memory as one text: the list of a manifest is a multiple of what it lists.
 *
 * @throws TypeError when the value is no JSON
 */
export function canonicalDigest(value: JsonObject): string {
  const hash = createHash("sha256").update("{");
  // By code units, as RFC 8785 orders them.
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [index, [name, member]] of members.entries()) {
    hash.update(`${index === 0 ? "" : ","}${canonicalJson(name)}:`);
    if (!Array.isArray(member)) {
      hash.update(canonicalJson(member));
      continue;
    }
    hash.update("[");
    for (let at = 0; at < member.length; at += ITEMS) {
      const items = member.slice(at, at + ITEMS).map((item: JsonValue) => canonicalJson(item));
      hash.update(`${at === 0 ? "" : ","}${items.join(",")}`);
    }
    hash.update("]");
  }
  return hash.update("}").digest("hex");
}

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { isJsonObject, type JsonValue } from "../json.js";

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

/** A list of no more items is put into its digest item by item, a longer one so many at a time. */
const ITEMS = 256;

/**
 * SHA-256 of the UTF-8 of {@link canonicalJson}, as 64 lower-case hex digits. Long lists of the value, however deep, are never in
 * memory as one text: the list of a manifest is a multiple of what it lists.
 *
 * @throws TypeError when the value is no JSON
 */
export function canonicalDigest(value: JsonValue): string {
  const hash = createHash("sha256");
  for (const piece of canonicalPieces(value)) hash.update(piece);
  return hash.digest("hex");
}

function* canonicalPieces(value: JsonValue): Generator<string> {
  if (Array.isArray(value)) {
    yield "[";
    yield* value.length > ITEMS ? piecesOfLong(value) : separated(value, canonicalPieces);
    yield "]";
  } else if (isJsonObject(value)) {
    yield "{";
    // By code units, as RFC 8785 orders them; what is undefined is not there.
    const members = (Object.entries(value) as [string, JsonValue | undefined][])
      .filter((member): member is [string, JsonValue] => member[1] !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    yield* separated(members, function* ([name, member]) {
      yield `${canonicalJson(name)}:`;
      yield* canonicalPieces(member);
    });
    yield "}";
  } else yield canonicalJson(value);
}

function* separated<T>(items: readonly T[], piecesOf: (item: T) => Iterable<string>): Generator<string> {
  for (const [index, item] of items.entries()) {
    if (index > 0) yield ",";
    yield* piecesOf(item);
  }
}

function* piecesOfLong(list: readonly JsonValue[]): Generator<string> {
  for (let at = 0; at < list.length; at += ITEMS) {
    const items = list.slice(at, at + ITEMS).map((item) => canonicalJson(item));
    yield `${at === 0 ? "" : ","}${items.join(",")}`;
  }
}

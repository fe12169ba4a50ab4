import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonObject, sha256Hex } from "../src/index.js";
import { canonicalDigest, canonicalJson } from "../src/wire/canonical-json.js";

describe("the digest of a canonical text", () => {
  it("is that of the whole text, whatever the value holds", () => {
    const members = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(members, (value) => {
        expect(canonicalDigest(value as JsonObject)).toBe(sha256Hex(canonicalJson(value as JsonObject)));
      }),
    );
  });

  it.each([0, 1, 255, 256, 257, 1000])("is the same with a list of %d items", (count) => {
    const list = Array.from({ length: count }, (_none, index) => ({ name: `\u00e9${String(index)}`, at: index / 3 }));
    const value: JsonObject = { 10: 1, 9: [[]], list, "\u{1f600}": "before in code units", "\ufb33": "after" };
    expect(canonicalDigest(value)).toBe(sha256Hex(canonicalJson(value)));
    const deep = [{ b: { list, a: [list, list] } }, []];
    expect(canonicalDigest(deep)).toBe(sha256Hex(canonicalJson(deep)));
  });

  it("passes over what is undefined, as JSON's own text does", () => {
    const value = { a: undefined, b: { c: undefined, d: 1 } } as unknown as JsonObject;
    expect(canonicalDigest(value)).toBe(sha256Hex('{"b":{"d":1}}'));
  });

  it("is of JSON alone: half a character is none", () => {
    for (const value of [{ text: "\ud800" }, { list: ["\ud800"] }, { "\ud800": 1 }, { list: [Number.NaN] }])
      expect(() => canonicalDigest(value)).toThrow();
  });
});

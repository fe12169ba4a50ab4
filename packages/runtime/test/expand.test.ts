import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expandText, fillPlaceholders, hasPlaceholders } from "../src/config/expand.js";

const env = { A: "alpha", EMPTY: "", TRICKY: "$& $1 ${A} $$" };

function expand(text: string): { readonly value: string; readonly problems: number } {
  let problems = 0;
  const value = expandText(text, env, () => problems++);
  return { value, problems };
}

describe("expandText", () => {
  const CASES: readonly (readonly [string, string])[] = [
    ["${A}", "alpha"],
    ["x${A}y${A}z", "xalphayalphaz"],
    ["${NONE:-d}", "d"],
    ["${NONE:-}", ""],
    ["${EMPTY}", ""],
    ["${EMPTY:-d}", "d"],
    ["${A:-d}", "alpha"],
    ["$${A}", "${A}"],
    ["$$${A}", "$${A}"],
    ["$A {A} $ {", "$A {A} $ {"],
    ["${TRICKY}", "$& $1 ${A} $$"],
    ["{agent}", "{agent}"],
  ];
  for (const [text, value] of CASES) {
    it(`${text} gives ${value}`, () => expect(expand(text)).toEqual({ value, problems: 0 }));
  }

  it("leaves what has no value as it is, and tells", () => {
    expect(expand("${NONE} ${A} ${B}")).toEqual({ value: "${NONE} alpha ${B}", problems: 2 });
    expect(expand("a ${ b")).toEqual({ value: "a ${ b", problems: 1 });
    expect(expand("${A")).toEqual({ value: "${A", problems: 1 });
  });

  it("gives back every text that was escaped", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("$", "{", "}", "A", ":-", "x")), (parts) => {
        const text = parts.join("");
        const escaped = text.replaceAll("${", () => "$${");
        expect(expand(escaped)).toEqual({ value: text, problems: 0 });
      }),
    );
  });
});

describe("fillPlaceholders", () => {
  it("fills the memory where it is known, once, whatever is in it", () => {
    const names = { agent: "ana", tenant: "acme" };
    expect(fillPlaceholders("{memory}/x", names)).toBe("{memory}/x");
    expect(fillPlaceholders("{memory}/{agent}", { ...names, memory: "/{tenant}/$&" })).toBe("/{tenant}/$&/ana");
  });

  it("fills names in all strings, and leaves other braces alone", () => {
    const options = {
      root: "{tenant}/{agent}",
      include: ["**/*.{db,sqlite}", "{agent}-{agent}"],
      depth: 3,
      none: null,
    };
    expect(fillPlaceholders(options, { agent: "ana", tenant: "acme" })).toEqual({
      root: "acme/ana",
      include: ["**/*.{db,sqlite}", "ana-ana"],
      depth: 3,
      none: null,
    });
    expect([hasPlaceholders(options), hasPlaceholders({ a: ["{db}"] })]).toEqual([true, false]);
  });
});

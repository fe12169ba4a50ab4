import { redactText } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import { gitleaksPolicy, translateRe2 } from "../src/index.js";

const WHERE = { path: "notes/a.md" };
const found = (pattern: string, text: string) => new RegExp(translateRe2(pattern), "u").exec(text)?.[0];

describe("a pattern of RE2", () => {
  // What RE2 matches, by its documentation.
  it.each<readonly [pattern: string, text: string, expected: string | undefined]>([
    ["(?i)abc", "xABc", "ABc"],
    ["a(?i)b", "aB", "aB"],
    ["a(?i)b", "AB", undefined],
    ["a(?i:b)c", "aBc", "aBc"],
    ["a(?i:b)c", "aBC", undefined],
    ["(?i)a(?-i:b)c", "AbC", "AbC"],
    ["(?i)a(?-i:b)c", "ABC", undefined],
    ["(?i)[a-f]{2}[^x]", "AF1", "AF1"],
    ["(?i)[^x]", "X", undefined],
    ["(?i)k", "\u212a", "\u212a"],
    ["(?P<name>a)(?<other>b)", "ab", "ab"],
    ["^a$", "a\n", undefined],
    ["a\\z", "a", "a"],
    ["\\Aa", "ba", undefined],
    ["(?m)^b$", "a\nb\nc", "b"],
    ["a.b", "a\rb", "a\rb"],
    ["a.b", "a\nb", undefined],
    ["(?s)a.b", "a\nb", "a\nb"],
    ["[[:alnum:]]+", "-aZ9-", "aZ9"],
    ["[[:^alpha:]x]+", "ab12x", "12x"],
    ["[[:xdigit:]_-]{3}", "zF_-", "F_-"],
    ["\\x{1F600}", "\u{1f600}", "\u{1f600}"],
    ["\\x41\\101", "AA", "AA"],
    [".", "\u{1f600}", "\u{1f600}"],
    ["\\s", "\u00a0", undefined],
    ["\\w+", "aé", "a"],
    ["\\d", "\u0663", undefined],
    ["[\\d\\-a]+", "1-a", "1-a"],
    ["[]a]+", "]a", "]a"],
    ["[^]a]", "]ab", "b"],
    ["\\Qa.b*\\E+", "a.b**", "a.b**"],
    ["a{,2}", "a{,2}", "a{,2}"],
    ["a{1,2}?", "aa", "a"],
    ["\\pL+", "éa1", "éa"],
    ["\\P{Greek}", "αa", "a"],
    ["\\\"\\'\\/\\@\\:\\-", "\"'/@:-", "\"'/@:-"],
    ["\\bab\\b", "x ab y", "ab"],
    ["(?:a|(?i)b)c", "Bc", "Bc"],
  ])("%s on %j", (pattern, text, expected) => {
    expect(found(pattern, text)).toBe(expected);
  });

  it.each(["(?=a)", "(?<!a)b", "(a)\\1", "(?U)a+", "a**", "(", "a)", "[z-a]", "[[:word2:]]", "\\y", "(?>a)", "a++"])(
    "%s is refused",
    (pattern) => {
      expect(() => translateRe2(pattern)).toThrow(SyntaxError);
    },
  );
});

const FILE = String.raw`
title = "rules of one house"
[allowlist]
paths = ['''(^|/)fixtures/''']
stopwords = ["sample"]
[[rules]]
id = "House_Key"
description = "keys of the house"
regex = '''(?i)\bhouse[_-]?key\s*=\s*["']?(hk_[a-z0-9]{8,})'''
keywords = ["house"]
entropy = 2.5
[[rules.allowlists]]
condition = "AND"
regexes = ['''^hk_aaaa''']
paths = ['''\.md$''']
[[rules]]
id = "second-group"
regex = '''(door):([0-9]{6})'''
secretGroup = 2
[[rules]]
id = "only-in-yaml"
regex = '''pin=[0-9]{4}'''
path = '''\.ya?ml$'''
[[rules]]
id = "looks-ahead"
regex = '''a(?=b)'''
[[rules]]
id = "by-path"
path = '''\.p12$'''
`;

describe("a file of gitleaks", () => {
  it("is applied: groups, entropy, keywords, paths, allow lists", () => {
    using policy = gitleaksPolicy(FILE);
    const redacted = (text: string, path = WHERE.path) => redactText(text, policy, { path }).text;
    expect(policy.rules).toEqual(["house_key", "second-group", "only-in-yaml"]);
    expect(redacted("HOUSE_KEY = 'hk_1a2b3c4d5e'")).toBe("HOUSE_KEY = '[REDACTED:house_key]'");
    expect(redacted("house_key=hk_11111111")).toBe("house_key=hk_11111111");
    expect(redacted("house_key=hk_aaaa1b2c3d4e")).toBe("house_key=hk_aaaa1b2c3d4e");
    expect(redacted("house_key=hk_aaaa1b2c3d4e", "a.txt")).toBe("house_key=[REDACTED:house_key]");
    expect(redacted("house_key=hk_sample1b2c3d4")).toBe("house_key=hk_sample1b2c3d4");
    expect(redacted("house_key=hk_1a2b3c4d5e", "fixtures/a.txt")).toBe("house_key=hk_1a2b3c4d5e");
    expect(redacted("door:123456 \u{1f600} door:654321")).toBe(
      "door:[REDACTED:second-group] \u{1f600} door:[REDACTED:second-group]",
    );
    expect(redacted("pin=1234")).toBe("pin=1234");
    expect(redacted("pin=1234", "a.yml")).toBe("[REDACTED:only-in-yaml]");
  });

  it("names the rules that are not applied", () => {
    using policy = gitleaksPolicy(`${FILE}\n[extend]\nuseDefault = true\n`);
    expect(policy.untranslated.map(({ rule }) => rule)).toEqual(["extend", "looks-ahead", "by-path"]);
    expect(policy.untranslated[1]?.reason).toContain("(?=");
  });

  it.each(["= =", "[[rules]]\nregex = 'a'", "[[rules]]\nid = 'a'\nregex = 3"])(
    "is refused where it is malformed: %j",
    (text) => {
      expect(() => gitleaksPolicy(text, { name: "my.toml" })).toThrow(
        expect.objectContaining({ code: "E_CONFIG", message: expect.stringContaining("my.toml") as string }) as Error,
      );
    },
  );

  it("gives up a pattern that does not come to an end, names its rule, and goes on with the next text", () => {
    const text = "[[rules]]\nid = 'fine'\nregex = 'fine[0-9]+'\n[[rules]]\nid = 'endless'\nregex = '(x+x+)+y'\n";
    using policy = gitleaksPolicy(text, { timeoutMs: 500 });
    expect(() => policy.scan(`fine1 ${"x".repeat(60)}`, WHERE)).toThrow(
      expect.objectContaining({
        code: "E_CONFIG",
        context: expect.objectContaining({ rule: "endless" }) as object,
      }) as Error,
    );
    expect(redactText("a fine123", policy, WHERE).text).toBe("a [REDACTED:fine]");
  });
});

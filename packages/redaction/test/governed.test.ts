import { composePolicies, redactText, type ScanContext } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import {
  type AllowList,
  defaultPolicy,
  expandSample,
  governedPolicy,
  PERSONAL_RULES,
  personalPolicy,
  rulePolicy,
} from "../src/index.js";

const WHERE = { path: "memory_files/notes/today.md" };
const GITHUB = expandSample("gh{}p_{alnum:36}").text;

function isKept(allow: AllowList, where: ScanContext = WHERE, text = `x ${GITHUB}`): boolean {
  return redactText(text, governedPolicy(defaultPolicy(), { allow, key: "k" }), where).text === text;
}

describe("the allow list", () => {
  it("spares by path, rule, column and value, and nothing else", () => {
    expect(isKept({})).toBe(false);
    expect(isKept({ paths: ["memory_files/**/*.md"] })).toBe(true);
    expect(isKept({ paths: ["**/today.*"] })).toBe(true);
    expect(isKept({ paths: ["memory_files/*.md", "other/**", "today.md"] })).toBe(false);
    expect(isKept({ rules: ["github_token"] })).toBe(true);
    expect(isKept({ rules: ["gitlab_token"] })).toBe(false);
    expect(isKept({ columns: ["notes.body"] }, { ...WHERE, column: "notes.body" })).toBe(true);
    expect(isKept({ columns: ["*.body"] }, { ...WHERE, column: "notes.body" })).toBe(true);
    expect(isKept({ columns: ["notes.title"] }, { ...WHERE, column: "notes.body" })).toBe(false);
    expect(isKept({ columns: ["notes.body"] })).toBe(false);
  });

  it("spares a value by the hash that its keyed replacement shows", () => {
    const keyed = governedPolicy(defaultPolicy(), { key: "k", keyedTokens: true });
    const hash = /github_token:([0-9a-f]{8})\]/.exec(redactText(GITHUB, keyed, WHERE).text)?.[1] ?? "";
    expect(hash).toHaveLength(8);
    expect(isKept({ values: [hash] })).toBe(true);
    expect(isKept({ values: [hash] }, WHERE, expandSample("gh{}p_{alnum:36}").text)).toBe(false);
    expect(isKept({ values: ["00000000"] })).toBe(false);
  });

  it("spares the line of a marker alone", () => {
    const text = `${GITHUB} # keepsake:allow\n${GITHUB}\n`;
    expect(redactText(text, governedPolicy(defaultPolicy(), {}), WHERE).text).toBe(
      `${GITHUB} # keepsake:allow\n[REDACTED:github_token]\n`,
    );
  });
});

describe("keyed replacements", () => {
  const keyed = (key: string) => governedPolicy(defaultPolicy(), { key, keyedTokens: true });

  it("are the same for the same secret, others for another one or another key, and stay", () => {
    const other = expandSample("gh{}p_{alnum:36}").text;
    const { text } = redactText(`${GITHUB} ${other} ${GITHUB}`, keyed("k"), WHERE);
    const [first, second, third] = text.split(" ");
    expect(first).toMatch(/^\[REDACTED:github_token:[0-9a-f]{8}\]$/);
    expect(third).toBe(first);
    expect(second).not.toBe(first);
    expect(redactText(GITHUB, keyed("another"), WHERE).text).not.toBe(first);
    expect(redactText(text, keyed("k"), WHERE).text).toBe(text);
    expect(redactText(`token: ${text}`, keyed("k"), WHERE).text).toBe(`token: ${text}`);
  });

  it("are kept where policies are composed, each for its own rules", () => {
    const both = composePolicies([keyed("k"), personalPolicy()], "both");
    expect(redactText(`${GITHUB} ana@example.org`, both, WHERE).text).toMatch(
      /^\[REDACTED:github_token:[0-9a-f]{8}\] \[REDACTED:email\]$/,
    );
  });

  it("need a key", () => {
    expect(() => governedPolicy(defaultPolicy(), { keyedTokens: true })).toThrow(TypeError);
    expect(() => governedPolicy(defaultPolicy(), { allow: { values: ["00000000"] } })).toThrow(TypeError);
  });
});

describe.each(PERSONAL_RULES)("personal data: $id", (rule) => {
  it("is found, and spared where it is none", () => {
    for (const sample of rule.samples.found) {
      const { text, secret } = expandSample(sample);
      const expected = `${text.slice(0, secret?.start)}[REDACTED:${rule.id}]${text.slice(secret?.end)}`;
      expect(redactText(text, personalPolicy(), WHERE).text).toBe(expected);
    }
    for (const sample of rule.samples.spared) {
      const { text } = expandSample(sample);
      expect(rulePolicy("one", [rule]).scan(text, WHERE)).toEqual([]);
    }
  });

  it("is not in the default", () => {
    for (const sample of rule.samples.found) expect(defaultPolicy().scan(expandSample(sample).text, WHERE)).toEqual([]);
  });
});

import { composePolicies, type Finding, mergeFindings, type RedactionPolicy, redactText } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import { DEFAULT_RULES, redactionPlugin, secretPattern, START } from "../src/index.js";
import { defaultPolicy, rulePolicy } from "../src/rule-policy.js";
import { expandSample } from "../src/sample.js";

const WHERE = { path: "state/a.json" };
const finding = (start: number, end: number, rule: string): Finding => ({ start, end, rule });
const fixed = (id: string, ...findings: Finding[]): RedactionPolicy => ({
  id,
  rules: [id],
  scan: (text) => (text.includes("[REDACTED:") ? [] : findings),
});

describe("mergeFindings", () => {
  it("keeps what is apart, also what touches", () => {
    const apart = [finding(0, 2, "a"), finding(2, 4, "b"), finding(9, 10, "c")];
    expect(mergeFindings(apart.toReversed())).toEqual(apart);
  });

  it("names an overlap by the longest, and leaves no end of a secret", () => {
    expect(mergeFindings([finding(0, 10, "a"), finding(5, 30, "b")])).toEqual([finding(0, 30, "b")]);
    expect(mergeFindings([finding(0, 30, "a"), finding(5, 10, "b")])).toEqual([finding(0, 30, "a")]);
    expect(mergeFindings([finding(0, 10, "a"), finding(5, 15, "b"), finding(12, 40, "c")])).toEqual([
      finding(0, 40, "c"),
    ]);
  });

  it("takes the leftmost, then the first given, of equals", () => {
    expect(mergeFindings([finding(5, 15, "b"), finding(0, 10, "a")])).toEqual([finding(0, 15, "a")]);
    expect(mergeFindings([finding(0, 5, "b"), finding(0, 5, "a")])).toEqual([finding(0, 5, "b")]);
  });
});

describe("composePolicies", () => {
  it("finds what any finds, once", () => {
    const both = composePolicies(
      [fixed("a", finding(0, 4, "a")), fixed("b", finding(2, 8, "b"), finding(9, 10, "b"))],
      "both",
    );
    expect(both.id).toBe("both");
    expect(both.rules).toEqual(["a", "b"]);
    expect(both.scan("0123456789", WHERE)).toEqual([finding(0, 8, "b"), finding(9, 10, "b")]);
    expect(redactText("0123456789", both, WHERE)).toEqual({ text: "[REDACTED:b]8[REDACTED:b]", matches: { b: 2 } });
  });

  it("joins the default rules and a rule of one's own", () => {
    const house = rulePolicy("house", [
      {
        id: "acme_key",
        description: "keys of Acme",
        keywords: ["acme_"],
        patterns: [secretPattern(String.raw`${START}(?<secret>acme_[a-z]{8})`)],
        samples: { found: [], spared: [] },
      },
    ]);
    const policy = composePolicies([defaultPolicy(), house], "all");
    const { text } = expandSample("acme_abcdefgh gh{}p_{alnum:36} ACME_abcdefgh");
    expect(redactText(text, policy, WHERE)).toEqual({
      text: "[REDACTED:acme_key] [REDACTED:github_token] ACME_abcdefgh",
      matches: { acme_key: 1, github_token: 1 },
    });
    expect(policy.rules).toEqual([...DEFAULT_RULES.map((rule) => rule.id), "acme_key"]);
  });
});

describe("redactText", () => {
  it("gives a text without findings back as it is, and keeps what surrounds a finding", () => {
    expect(redactText("plain \u{1f600}\r\n", defaultPolicy(), WHERE)).toEqual({
      text: "plain \u{1f600}\r\n",
      matches: {},
    });
    const { text } = expandSample("\u{1f600}gh{}p_{alnum:36}\u{1f600}\r\n");
    expect(redactText(text, defaultPolicy(), WHERE).text).toBe("\u{1f600}[REDACTED:github_token]\u{1f600}\r\n");
  });
});

describe("the plugin", () => {
  it("provides the policy default, without options", () => {
    const [provider] = redactionPlugin.providers ?? [];
    expect(provider).toMatchObject({ kind: "redaction", name: "default" });
    expect(provider).not.toHaveProperty("options");
  });
});

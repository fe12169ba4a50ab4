import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactText } from "@keepsake/core";
import { defaultPolicy, rulePolicy } from "../src/rule-policy.js";
import { DEFAULT_RULES } from "../src/rules/default-rules.js";
import { expandSample } from "../src/sample.js";

const WHERE = { path: "memory_files/note.md" };
const policy = defaultPolicy();
const NEIGHBOURS = [
  ["", ""],
  ["key=", "\n"],
  ['{"a":"', '"}'],
  ["(", ")"],
  ["`", "`"],
  ["é", "é"],
  ["line\r\n", " and more"],
  ["notes-", " and more"],
] as const;

describe.each(DEFAULT_RULES)("$id", (rule) => {
  it.each(rule.samples.found)("finds %s, and all of it, whatever stands around", (sample) => {
    for (let round = 0; round < 20; round++) {
      const { text, secret } = expandSample(sample);
      if (secret === undefined) throw new Error("the sample marks no secret");
      // A value that only its name tells may hold any letter.
      for (const [before, after] of NEIGHBOURS.filter((pair) => rule.generic !== true || pair[1] !== "é")) {
        const redacted = redactText(before + text + after, policy, WHERE).text;
        const kept = `${before}${text.slice(0, secret.start)}[REDACTED:${rule.id}]${text.slice(secret.end)}${after}`;
        // A sample may hold another rule's secret beside its own.
        expect(redacted).toBe(redactText(kept, policy, WHERE).text);
        expect(redacted).not.toContain(text.slice(secret.start, secret.end));
      }
    }
  });

  it.each(rule.samples.spared)("spares %s", (sample) => {
    for (let round = 0; round < 20; round++) {
      const { text } = expandSample(sample);
      expect(rulePolicy("one", [rule]).scan(text, WHERE)).toEqual([]);
    }
  });

  it("has samples of both kinds, a usable id, and patterns that name the secret", () => {
    expect(rule.id).toMatch(/^[a-z0-9_-]+$/);
    expect(rule.samples.found.length).toBeGreaterThan(1);
    expect(rule.samples.spared.length).toBeGreaterThan(1);
    for (const keyword of rule.keywords) expect(keyword).toBe(keyword.toLowerCase());
    for (const pattern of rule.patterns) {
      expect(pattern.source).toContain("(?<secret>");
      expect(pattern.flags).toMatch(/^dgi?$/);
      // A repetition of what is itself repeated without bound.
      expect(pattern.source).not.toMatch(/[+*}]\)(?:[+*]|\{\d+,\})/);
    }
  });
});

describe("the default policy", () => {
  it.each([
    ["a digest", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ["a commit", "fixed in 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"],
    ["a UUID", "run 0190b0c4-7d7a-7e3b-9a57-3f1c2d4e5f60"],
    ["base64", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="],
    [
      "prose",
      "A risk-based, task-oriented desk-research plan; ask-me-anything on Thursday. The bearer of this note is Ana.",
    ],
    ["names of secrets", "Set AWS_SECRET_ACCESS_KEY and ANTHROPIC_API_KEY, or pass Authorization: Bearer <token>."],
    ["code", 'const key = process.env["OPENAI_API_KEY"]; headers.set("authorization", `Bearer ${key}`);'],
    ["a URL", "https://github.com/acme/risk-assessment/blob/2fd4e1c67a2d28fced849ee1bb76e7391b93eb12/docs/sk-learn.md"],
    ["a placeholder", "aws_secret_access_key = [REDACTED:aws_secret_key]"],
  ])("spares %s", (_what, text) => {
    expect(policy.scan(text, WHERE)).toEqual([]);
  });

  it("finds several of several kinds in one text, and counts them", () => {
    const secrets = DEFAULT_RULES.flatMap((rule) => rule.samples.found).map((sample) => expandSample(sample));
    const text = secrets.map((sample) => sample.text).join("\n");
    const { text: redacted, matches } = redactText(text, policy, WHERE);
    for (const { text: sample, secret } of secrets) {
      expect(redacted).not.toContain(sample.slice(secret?.start, secret?.end));
    }
    expect(Object.keys(matches).sort()).toEqual(DEFAULT_RULES.map((rule) => rule.id).sort());
    expect(matches["github_token"]).toBe(8);
  });

  it("names a bearer token by the more telling rule", () => {
    const { text } = expandSample('Authorization: Bearer {b64url:"alg":"HS256"}.{b64url:"sub":"1"}.{url:43}');
    expect(redactText(text, policy, WHERE).text).toBe("Authorization: Bearer [REDACTED:jwt]");
  });

  it("finds nothing new in what it has redacted, and never a range out of order", () => {
    const samples = DEFAULT_RULES.flatMap((rule) => [...rule.samples.found, ...rule.samples.spared]);
    const piece = fc.oneof(
      fc.constantFrom(...samples).map((sample) => expandSample(sample).text),
      fc.constantFrom(
        " ",
        "\n",
        "\\n",
        "-",
        "_",
        "=",
        ".",
        "%20",
        "[REDACTED:jwt]",
        "sk-",
        "Bearer ",
        "eyJ",
        "é",
        "\u{1f600}",
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join("");
        let position = 0;
        for (const { start, end } of policy.scan(text, WHERE)) {
          expect(start).toBeGreaterThanOrEqual(position);
          expect(end).toBeGreaterThan(start);
          position = end;
        }
        expect(position).toBeLessThanOrEqual(text.length);
        const once = redactText(text, policy, WHERE).text;
        expect(policy.scan(once, WHERE)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is a pure function, also where calls are nested", () => {
    const { text } = expandSample("gh{}p_{alnum:36} gh{}p_{alnum:36}");
    const first = policy.scan(text, WHERE);
    expect(first).toHaveLength(2);
    expect(policy.scan(text, WHERE)).toEqual(first);
  });
});

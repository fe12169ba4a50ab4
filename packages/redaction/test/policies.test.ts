import { writeFile } from "node:fs/promises";
import {
  composePolicies,
  type Finding,
  LOGGER,
  mergeFindings,
  type RedactionPolicy,
  redactText,
  SILENT_LOGGER,
  type Token,
} from "@keepsake/core";
import { tempDir } from "@keepsake/testkit";
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
  const providers = redactionPlugin.providers ?? [];

  async function problemsOf(name: string, options: object): Promise<readonly string[]> {
    const schema = providers.find((provider) => provider.name === name)?.options;
    const result = await schema?.["~standard"].validate(options);
    return (result?.issues ?? []).map(({ message }) => message);
  }

  it("provides the policies default, personal, gitleaks and secretlint", () => {
    expect(providers.map(({ kind, name }) => [kind, name])).toEqual([
      ["redaction", "default"],
      ["redaction", "personal"],
      ["redaction", "gitleaks"],
      ["redaction", "secretlint"],
    ]);
  });

  it("takes its options, and refuses keyed replacements without a key", async () => {
    expect(await problemsOf("default", {})).toEqual([]);
    const all = {
      personal: true,
      tokens: "keyed",
      token_key: { env: "KEY" },
      allow: { paths: ["a/**"], values: ["0a1b2c3d"] },
    };
    expect(await problemsOf("default", all)).toEqual([]);
    expect(await problemsOf("default", { tokens: "keyed" })).toEqual([
      "`tokens: keyed` and `allow.values` need a `token_key`",
    ]);
    expect(await problemsOf("personal", { allow: { values: ["0a1b2c3d"] } })).toHaveLength(1);
    expect(await problemsOf("gitleaks", {})).toHaveLength(1);
    expect(await problemsOf("gitleaks", { file: "a.toml", token_key: "a plain secret" })).toHaveLength(1);
  });

  it("makes them: with personal data where asked, with the key that the reference names, with a file of rules", async () => {
    await using dir = await tempDir();
    await writeFile(
      dir.join("rules.toml"),
      "[[rules]]\nid = 'door'\nregex = 'door:[0-9]{6}'\n[[rules]]\nid = 'no'\nregex = 'a(?=b)'\n",
    );
    const logged: unknown[] = [];
    const logger = { ...SILENT_LOGGER, warn: (_message: string, facts: unknown) => logged.push(facts) };
    const resolver = {
      get: <T>(token: Token<T>): T => (token.key === LOGGER.key ? logger : { read: async () => "the key" }) as T,
    };
    const make = (name: string, options: object): Promise<RedactionPolicy> => {
      const provider = providers.find((one) => one.name === name);
      if (provider?.kind !== "redaction") throw new Error(name);
      return Promise.resolve(provider.create(options as never, resolver, { id: undefined, baseDir: dir.path }));
    };
    const redacted = async (name: string, options: object) =>
      redactText("ana@example.org door:123456", await make(name, { tokens: "plain", ...options }), WHERE).text;
    expect(await redacted("default", { personal: false })).toBe("ana@example.org door:123456");
    expect(await redacted("default", { personal: true })).toBe("[REDACTED:email] door:123456");
    expect(await redacted("personal", { tokens: "keyed", token_key: { env: "X" } })).toMatch(
      /^\[REDACTED:email:[0-9a-f]{8}\] door/,
    );
    expect(await redacted("gitleaks", { file: "rules.toml", timeout_ms: 5000 })).toBe(
      "ana@example.org [REDACTED:door]",
    );
    expect(logged).toMatchObject([{ rule: "no" }]);
    await expect(make("gitleaks", { file: "absent.toml", timeout_ms: 5000 })).rejects.toMatchObject({
      code: "E_NOT_FOUND",
    });
  });
});

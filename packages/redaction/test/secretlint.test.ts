import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redactText } from "@keepsake/core";
import { afterAll, describe, expect, it } from "vitest";
import { expandSample, secretlintPolicy } from "../src/index.js";

const WHERE = { path: "memory_files/note.md" };
const dir = mkdtempSync(join(tmpdir(), "keepsake-secretlint-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A package of one rule, installed in the folder. */
function install(name: string, body: string): void {
  const folder = join(dir, "node_modules", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, type: "module", main: "index.js" }));
  writeFileSync(
    join(folder, "index.js"),
    `export const creator = {
      messages: { FOUND: { en: () => "found" } },
      meta: { id: ${JSON.stringify(name)}, recommended: false, type: "scanner", supportedContentTypes: ["text"] },
      create(context) { const t = context.createTranslator(this.messages); return { file(source) { ${body} } }; },
    };`,
  );
}

describe("rules of secretlint", () => {
  it("find what those of its preset find, by the ranges in the text", () => {
    using policy = secretlintPolicy();
    expect(policy.rules).toContain("secretlint_github");
    expect(policy.rules).not.toContain("secretlint_filter-comments");
    const { text, secret } = expandSample("\u{1f600} é token «gh{}p_{alnum:36}» and more");
    const [finding] = policy.scan(text, WHERE);
    expect(finding).toEqual({ ...secret, rule: "secretlint_github" });
    expect(policy.scan("nothing of the kind", WHERE)).toEqual([]);
  });

  it("are not switched off by who writes the text", () => {
    using policy = secretlintPolicy();
    const { text } = expandSample("<!-- secretlint-disable -->\ngh{}p_{alnum:36}\n");
    expect(redactText(text, policy, WHERE).text).toContain("[REDACTED:secretlint_github]");
  });

  it("of a user's own package are found beside the configuration", () => {
    install(
      "secretlint-rule-acme",
      `for (const m of source.content.matchAll(/acme-[0-9]+/g))
         context.report({ message: t("FOUND", {}), range: [m.index, m.index + m[0].length] });`,
    );
    using policy = secretlintPolicy({ packages: ["secretlint-rule-acme"], from: dir });
    expect(redactText("an acme-123 b", policy, WHERE)).toEqual({
      text: "an [REDACTED:secretlint_acme] b",
      matches: { secretlint_acme: 1 },
    });
  });

  it("that do not end are given up, by name; the next text is looked through again", () => {
    install("secretlint-rule-endless", `if (source.content.includes("hang")) for (;;);`);
    using policy = secretlintPolicy({ packages: ["secretlint-rule-endless"], from: dir, timeoutMs: 300 });
    expect(() => policy.scan("hang", WHERE)).toThrow(
      expect.objectContaining({
        code: "E_CONFIG",
        message: expect.stringContaining("secretlint-rule-endless") as string,
      }),
    );
  });

  it("that are not installed are named", () => {
    expect(() => secretlintPolicy({ packages: ["secretlint-rule-nowhere"], from: dir })).toThrow(
      expect.objectContaining({
        code: "E_CONFIG",
        message: expect.stringContaining("secretlint-rule-nowhere") as string,
      }),
    );
  });
});

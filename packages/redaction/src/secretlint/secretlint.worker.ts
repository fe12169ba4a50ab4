import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
import { lintSource } from "@secretlint/core";
import { serve } from "../worker/serve.js";

/** What the thread is started with. */
export interface SecretlintStart {
  /** names of rule packages or presets */
  readonly packages: readonly string[];
  /** the folder they are resolved from; absent: from here */
  readonly from?: string;
}

/** What the thread is asked: a text to look through, or which rules there are. */
export type SecretlintQuestion = { readonly text: string; readonly path: string } | "rules";

type Creator = NonNullable<Parameters<typeof lintSource>[0]["options"]["config"]["rules"]>[number]["rule"];
type Rule = Exclude<Creator, { readonly rules: unknown }>;

const PRESET = "@secretlint/secretlint-rule-preset-recommend";
/** A comment in a text would switch rules off: who writes the text is not who decides what is redacted. */
const FILTER = "@secretlint/secretlint-rule-filter-comments";

let loaded: Promise<readonly Rule[]> | undefined;

async function load({ packages, from }: SecretlintStart): Promise<readonly Rule[]> {
  const rules = new Map<string, Rule>();
  for (const name of packages) {
    const creator = await creatorOf(name, from);
    for (const rule of rulesOf(creator)) rules.set(rule.meta.id, rule);
  }
  rules.delete(FILTER);
  return [...rules.values()];
}

async function creatorOf(name: string, from: string | undefined): Promise<Creator> {
  if (from === undefined && name === PRESET)
    return (await import("@secretlint/secretlint-rule-preset-recommend")).creator;
  const found = createRequire(from === undefined ? import.meta.url : pathToFileURL(`${from}/`)).resolve(name);
  return ((await import(pathToFileURL(found).href)) as { readonly creator: Creator }).creator;
}

function rulesOf(creator: Creator): readonly Rule[] {
  return "rules" in creator ? creator.rules : [creator];
}

serve(async (question, data, tellBusy) => {
  // The thread is started and asked by secretlintPolicy alone.
  const rules = await (loaded ??= load(data as SecretlintStart));
  const asked = question as SecretlintQuestion;
  if (asked === "rules") return rules.map(({ meta }) => meta.id);
  const findings: { start: number; end: number; rule: string }[] = [];
  // One after the other, so that one that does not end can be named.
  for (const [index, rule] of rules.entries()) {
    tellBusy(index);
    const { messages } = await lintSource({
      source: { filePath: asked.path, content: asked.text, ext: "", contentType: "text" },
      options: { noPhysicFilePath: true, config: { rules: [{ id: rule.meta.id, rule }] } },
    });
    for (const { range } of messages) {
      const [start, end] = range;
      if (end > start) findings.push({ start, end, rule: rule.meta.id });
    }
  }
  return findings;
});

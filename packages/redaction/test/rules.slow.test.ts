import { redactText } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import { defaultPolicy } from "../src/rule-policy.js";
import { DEFAULT_RULES } from "../src/rules/default-rules.js";

const WHERE = { path: "memory_files/note.md" };
const policy = defaultPolicy();

describe("a mebibyte of one thing over and over", () => {
  // What makes a pattern enter a long run again and again would take hours here; the test's own time limit tells.
  const seeds = [
    "sk-ant-",
    "sk-",
    "sk-proj-",
    "AKIA",
    "aws secret access key=",
    "aws_",
    "secret",
    "ghp_",
    "github_pat_",
  ];
  const more = [
    "xoxb-",
    "xoxe.",
    "xapp-",
    "eyJ",
    "eyJ.",
    "eyJaaaaaaaa.",
    "bearer ",
    "Bearer\t",
    "bearer+",
    "%20",
    "\\n",
    "\\u0000",
  ];
  const units = [
    ...seeds,
    ...more,
    ...seeds.map((seed) => `${seed} `),
    "a",
    "-",
    "_",
    "/",
    "=",
    "\\",
    " ",
    "'",
    "sk-aaa\\n",
    "eyJ\\n",
  ];

  it.each(units)("%j", (unit) => {
    const size = 1024 * 1024;
    const run = unit.repeat(Math.ceil(size / unit.length));
    // Each rule is tried, though its keyword stand only at the end.
    const keywords = DEFAULT_RULES.flatMap((rule) => rule.keywords).join(" ");
    for (const text of [`${run} ${keywords}`, `${keywords} ${run}`, `Bearer ${run}`, `sk-ant-${run}`, `eyJ${run}`]) {
      const { text: redacted } = redactText(text, policy, WHERE);
      expect(redacted.length).toBeGreaterThan(0);
    }
  });
});

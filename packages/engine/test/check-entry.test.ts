import { isKeepsakeError, streamOf } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import { checkEntry } from "../src/snapshot/check-entry.js";

const file = { type: "file", path: "a", mode: 0o644, mtimeMs: 1, content: { stream: streamOf("x") } };

function refusal(entry: unknown): string | undefined {
  try {
    checkEntry(entry, "acme");
    return undefined;
  } catch (error) {
    if (!isKeepsakeError(error, "E_PLUGIN_FAILED")) throw error;
    return error.message;
  }
}

describe("what a source may bring", () => {
  it.each([
    ["a file by its bytes", file],
    ["a file in the scratch directory", { ...file, content: { file: "/tmp/x" } }],
    ["a directory", { type: "directory", path: "a", mode: 0o755, mtimeMs: 0 }],
    ["a link", { type: "symlink", path: "a", target: "b", mtimeMs: 1.5 }],
    ["something omitted", { type: "omitted", path: "a", reason: "excluded" }],
    ["something absent", { type: "absent", path: "a", required: true }],
  ])("is %s", (_what, entry) => {
    expect(refusal(entry)).toBeUndefined();
  });

  it.each([
    ["nothing", null, /no object \(null\)/],
    ["a word", "a", /no object \(string\)/],
    ["another type", { ...file, type: "files" }, /type is none of file, directory/],
    ["a name inherited by every object", { ...file, type: "constructor" }, /type is none of/],
    ["a bare stream as content", { ...file, content: streamOf("x") }, /whose content is missing or wrong/],
    ["a time that is no number, and no mode", { ...file, mode: undefined, mtimeMs: "now" }, /whose mode, mtimeMs is/],
    ["a link without a target", { type: "symlink", path: "a", mtimeMs: 1 }, /whose target is/],
  ])("is not %s", (_what, entry, sentence) => {
    expect(refusal(entry)).toMatch(sentence);
  });
});

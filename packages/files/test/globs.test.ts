import { describe, expect, it } from "vitest";
import { pathMatcher } from "../src/globs.js";

const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["*.tmp", ["a.tmp", "b/c/.a.tmp"], ["a.tmp/b"]],
  ["node_modules", ["node_modules", "a/node_modules"], ["node_modules/a"]],
  ["node_modules/**", ["node_modules", "node_modules/a/b"], ["x/node_modules/a"]],
  ["**/*.db", ["a.db", "b/c/a.db"], ["a.sqlite"]],
  ["projects/*/memory/**", ["projects/x/memory/a/b.md", "projects/x/memory"], ["y/projects/x/memory/a", "memory/a"]],
  ["state/run.json", ["state/run.json"], ["run.json", "a/state/run.json"]],
  ["/memory.jsonl", ["memory.jsonl"], ["a/memory.jsonl"]],
  ["!a.md", ["!a.md", "b/!a.md"], ["a.md", "b.md", "x/y"]],
  ["!*.md", ["!a.md"], ["a.md", "a.txt"]],
  ["notes (old).md", ["notes (old).md"], ["notes old.md"]],
  ["a(b|c).md", ["a(b|c).md"], ["ab.md", "ac.md", "a(b.md"]],
  ["*(old).md", ["x(old).md", "(old).md"], ["xold.md", "oldold.md", ".md"]],
  ["+(a)*", ["+(a)", "+(a)b"], ["a", "aa"]],
  ["@(a|b)?", ["@(a|b)x"], ["ax", "bx"]],
  ["a?c", ["abc", "a\u{1f600}c", "a?c"], ["ac", "abbc", "a/c"]],
  ["??.md", ["ab.md", "\u{1f600}\u{1f601}.md"], ["\u{1f600}.md", "a.md", "abc.md"]],
  ["[!a].md", ["b.md", "!.md"], ["a.md"]],
  ["[?].md", ["?.md"], ["a.md"]],
  ["[(|].md", ["(.md", "|.md"], ["a.md"]],
  ["\\?.md", ["?.md"], ["a.md"]],
  ["{a,b}.md", ["a.md", "b.md"], ["c.md", "{c}.md"]],
  ["{a,b}.md", ["{a,b}.md"], []],
  ["[z-a].md", ["[z-a].md"], ["z.md"]],
  ["$x^.md", ["$x^.md"], ["x.md"]],
  ["x/(**)", ["x/(**)", "x/(a)"], ["x/a"]],
];

describe("a pattern that is a name in any folder, or a path", () => {
  for (const [pattern, yes, no] of CASES) {
    it(`${pattern} matches what it says`, () => {
      const matches = pathMatcher([pattern], { anyFolder: true });
      expect(yes.filter((path) => !matches(path))).toEqual([]);
      expect(no.filter(matches)).toEqual([]);
      const beside = pathMatcher(["nothing", "no/thing", pattern], { anyFolder: true });
      expect(yes.filter((path) => !beside(path))).toEqual([]);
    });
  }

  it("without the option is a path in every case, and none matches nothing", () => {
    expect([pathMatcher(["*.db"])("a.db"), pathMatcher(["*.db"])("b/a.db")]).toEqual([true, false]);
    expect(pathMatcher([])("a")).toBe(false);
  });
});

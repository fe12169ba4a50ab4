import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KeepsakeError, type StateItem, type StateProvider } from "@keepsake/core";
import { memoryStore, treeDigest, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { nearNames } from "../src/restore/selection/near-names.js";
import { parsePattern } from "../src/restore/selection/pattern.js";
import { Selection } from "../src/restore/selection/selection.js";
import { engineBench } from "./support/engine-bench.js";
import { folderSource } from "./support/folder-source.js";

const IDS = new Set(["notes", "state"]);

describe("a pattern", () => {
  it.each([
    ["people.md", ["people.md"], ["other/people.md", "people.mdx"]],
    ["topics", ["topics", "topics/a.md", "topics/sub/b"], ["topics2", "a/topics"]],
    ["topics/", ["topics", "topics/a.md"], ["topics2"]],
    ["./topics/**", ["topics", "topics/sub/b"], ["topics2"]],
    ["topics/*", ["topics/a.md", "topics/sub/b"], ["topics"]],
    ["*.md", ["a.md"], ["sub/a.md", "a.txt"]],
    ["**/*.md", ["a.md", "sub/a.md"], ["a.txt"]],
    ["a [draft].md", ["a [draft].md"], ["a draft.md"]],
    [".", ["anything", ".git/HEAD"], []],
    ["./notes", ["notes", "notes/a"], ["a"]],
  ])("%j of the memory selects what it says", (text, met, missed) => {
    const pattern = parsePattern(text, IDS);
    expect(pattern.source).toBeUndefined();
    for (const path of met) expect([path, pattern.matches(path)]).toEqual([path, true]);
    for (const path of missed) expect([path, pattern.matches(path)]).toEqual([path, false]);
  });

  it("is of a source where its first name is the id of one", () => {
    expect(parsePattern("notes", IDS)).toMatchObject({ source: "notes", whole: true });
    expect(parsePattern("notes/**", IDS)).toMatchObject({ source: "notes", whole: true });
    expect(parsePattern("notes/a", IDS)).toMatchObject({ source: "notes", whole: false });
    expect(parsePattern("notes/a", IDS).matches("a/b")).toBe(true);
  });

  it("reaches into a place by its name, not by a wildcard", () => {
    const into = (text: string): boolean => parsePattern(text, IDS).reachesInto("p/.git");
    expect(["p/.git/config", "*/.git/config", "p/.git/*"].map(into)).toEqual([true, true, true]);
    expect(["p/.git", "p/.git/**", "**/config", "p/*/config", "p", "q/.git/config"].map(into)).toEqual(
      Array(6).fill(false),
    );
  });

  it("may not be empty, absolute, or lead out", () => {
    for (const text of ["", "/etc/passwd", "..", "a/../../b", "a\0b"]) {
      expect(() => parsePattern(text, IDS)).toThrow(KeepsakeError);
    }
  });

  it("means nothing outside of the memory directory", () => {
    const selection = new Selection(["**"], [], "/agents/ana");
    const asked = selection.of("notes");
    expect([asked.has("/agents/ana/a", "a"), asked.has("/agents/anabel/a", "a")]).toEqual([true, false]);
  });
});

it("names what is like what was asked for", () => {
  const names = ["people.md", "topics/people.md", "long_term.db", "x"];
  expect(nearNames("peple.md", names)).toEqual(["people.md", "topics/people.md"]);
  expect(nearNames("something else entirely", names)).toEqual([]);
});

/** State values whose every key is told apart, and a switch that makes the last step fail. */
function stateOf(values: Map<string, StateItem>, failing: { now: boolean }): StateProvider {
  return {
    id: "values",
    keys: ["cursor", "run", "mood"],
    async *capture() {
      yield* values.values();
    },
    async restore(_target, items, { keep = [] } = {}) {
      for (const key of [...values.keys()]) if (!keep.includes(key)) values.delete(key);
      for (const item of items) values.set(item.key, item);
      if (!failing.now) return;
      failing.now = false;
      throw new KeepsakeError("E_NO_SPACE", "Full.");
    },
  };
}

async function scene() {
  const values = new Map<string, StateItem>([["cursor", { key: "cursor", value: 1 }]]);
  const failing = { now: false };
  const sources = ["first", "second"].map((id) => folderSource(id));
  const bench = await engineBench({ sources, state: [stateOf(values, failing)], store: memoryStore() });
  await writeTree(bench.memory, { "first/a": "then", "second/a": "then" });
  await bench.snapshotter.snapshot({ agent: "ana" });
  await writeTree(bench.memory, { "first/a": "now", "second/a": "now" });
  for (const [key, value] of Object.entries({ cursor: 2, run: 3, mood: "calm" })) values.set(key, { key, value });
  const state = () => Object.fromEntries([...values.values()].map(({ key, value }) => [key, value]));
  return { bench, state, failing, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

const WANT = { agent: "ana", ref: "latest" };
const NOW = { cursor: 2, run: 3, mood: "calm" };

describe("a restore of a part", () => {
  it("of a source that knows no parts is one of the whole source, or is refused", async () => {
    await using made = await scene();
    const { bench } = made;
    const before = await treeDigest(bench.memory);
    for (const only of ["first/a", "./first", "./first/a", "**/a"]) {
      const asked = bench.snapshotter.restore({ ...WANT, only: [only] });
      await expect(asked, only).rejects.toMatchObject({
        code: expect.stringMatching(/E_UNSUPPORTED|E_NOT_FOUND/) as string,
      });
      expect(await treeDigest(bench.memory)).toEqual(before);
    }
    await expect(bench.snapshotter.restore({ ...WANT, only: ["./first/a"] })).rejects.toMatchObject({
      code: "E_UNSUPPORTED",
      context: { source: "first" },
    });
    await bench.snapshotter.restore({ ...WANT, only: ["first"] });
    expect(await readFile(join(bench.memory, "first/a"), "utf8")).toBe("then");
    expect(await readFile(join(bench.memory, "second/a"), "utf8")).toBe("now");
    expect(made.state()).toEqual(NOW);
  });

  it("of a state value sets it, or clears it, and leaves all others", async () => {
    await using made = await scene();
    const { bench, state } = made;
    const {
      plan,
      stateFilesRestored,
      preSnapshot = "",
    } = await bench.snapshotter.restore({
      ...WANT,
      only: ["state/cursor"],
    });
    expect(plan).toEqual([{ source: "state", action: "replace", path: "cursor" }]);
    expect([state(), stateFilesRestored]).toEqual([{ ...NOW, cursor: 1 }, ["cursor"]]);
    await bench.snapshotter.restore({ agent: "ana", ref: preSnapshot, only: ["state/cursor.json"] });
    expect(state()).toEqual(NOW);
    const first = (await bench.snapshotter.list({ agent: "ana" })).snapshots.at(-1)?.id ?? "";
    await bench.snapshotter.restore({ agent: "ana", ref: first, only: ["state/run"] });
    expect(state()).toEqual({ cursor: 2, mood: "calm" });
  });

  it("is taken back whole when its last step fails", async () => {
    await using made = await scene();
    const { bench, state, failing } = made;
    const before = await treeDigest(bench.memory, { mtimes: "none" });
    failing.now = true;
    const asked = bench.snapshotter.restore({ ...WANT, only: ["first", "state/cursor"] });
    await expect(asked).rejects.toMatchObject({ code: "E_NO_SPACE" });
    expect([await treeDigest(bench.memory, { mtimes: "none" }), state()]).toEqual([before, NOW]);
  });
});

describe("what the snapshot was taken without", () => {
  it("stays as it is: a source and state values that were configured later, and a notice says so", async () => {
    const values = new Map<string, StateItem>();
    const store = memoryStore();
    await using old = await engineBench({ sources: [folderSource("first")], store });
    await writeTree(old.memory, { "first/a": "then" });
    await old.snapshotter.snapshot({ agent: "ana" });
    values.set("run", { key: "run", value: 3 });
    const sources = ["first", "second"].map((id) => folderSource(id));
    await using bench = await engineBench({ sources, state: [stateOf(values, { now: false })], store });
    await writeTree(bench.memory, { "first/b": "since", "second/a": "now" });
    const { notices } = await bench.snapshotter.restore(WANT);
    expect(notices.map((notice) => /source second|state values/.exec(notice)?.[0])).toEqual([
      "source second",
      "state values",
    ]);
    expect(Object.keys(await treeDigest(bench.memory))).toEqual(["first", "first/a", "second", "second/a"]);
    expect([...values.keys()]).toEqual(["run"]);
    const asked = bench.snapshotter.restore({ agent: "ana", ref: "latest~1", only: ["second"] });
    await expect(asked).rejects.toMatchObject({ code: "E_NOT_FOUND" });
  });

  it("a source that had nothing was captured: what it has now goes", async () => {
    const sources = ["first", "second"].map((id) => folderSource(id));
    await using bench = await engineBench({ sources, store: memoryStore() });
    await writeTree(bench.memory, { "first/a": "then" });
    await bench.snapshotter.snapshot({ agent: "ana" });
    await writeTree(bench.memory, { "second/a": "since" });
    const { plan } = await bench.snapshotter.restore(WANT);
    expect(plan).toContainEqual(expect.objectContaining({ source: "second", action: "delete" }));
    expect(Object.keys(await treeDigest(bench.memory))).not.toContain("second/a");
  });
});

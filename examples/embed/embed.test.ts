import { tempDir, treeDigest, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { badDream, type Change, dreamSafely, goodDream } from "./agent.js";

const isGood = (changes: readonly Change[]): boolean => changes.every(({ change }) => change !== "removed");

describe("an agent that dreams safely", () => {
  it("keeps a good dream, and gives everything back after a bad one", async () => {
    await using dir = await tempDir();
    const memory = dir.join("ana");
    const stateRoot = dir.join("state");
    await writeTree(memory, { "may.md": "# May\n", "people.jsonl": '{"name":"Ben"}\n', "empty.md": "" });

    const good = await dreamSafely({ memory, stateRoot, isGood, dream: goodDream });
    expect(good.kept).toBe(true);
    expect(good.changes).toMatchObject([{ path: "dreams.md", change: "added" }]);

    const before = await treeDigest(memory);
    const bad = await dreamSafely({ memory, stateRoot, isGood, dream: badDream });
    expect(bad.kept).toBe(false);
    expect(bad.changes.filter(({ change }) => change === "removed")).toHaveLength(3);
    expect(await treeDigest(memory)).toEqual(before);
  });

  it("really loses notes without it", async () => {
    await using dir = await tempDir();
    await writeTree(dir.path, { "may.md": "# May\n" });
    await badDream(dir.path);
    expect(Object.keys(await treeDigest(dir.path))).toEqual(["dreams.md"]);
  });
});

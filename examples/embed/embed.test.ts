import { tempDir, treeDigest, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";

type Change = { readonly path: string; readonly change: string };
type Dream = (memory: string) => Promise<void>;
interface Agent {
  readonly goodDream: Dream;
  readonly badDream: Dream;
  dreamSafely(
    memory: string,
    stateRoot: string,
    dream: Dream,
    isGood: (changes: readonly Change[]) => boolean,
  ): Promise<{ readonly kept: boolean; readonly changes: readonly Change[] }>;
}
const { badDream, dreamSafely, goodDream } = (await import(new URL("./agent.mjs", import.meta.url).href)) as Agent;

const nothingLost = (changes: readonly Change[]): boolean => changes.every(({ change }) => change !== "removed");

describe("an agent that dreams safely", () => {
  it("keeps a good dream, and gives everything back after a bad one", async () => {
    await using dir = await tempDir();
    const memory = dir.join("ana");
    await writeTree(memory, { "may.md": "# May\n", "people.jsonl": '{"name":"Ben"}\n', "empty.md": "" });

    const good = await dreamSafely(memory, dir.join("state"), goodDream, nothingLost);
    expect(good.kept).toBe(true);
    expect(good.changes).toMatchObject([{ path: "dreams.md", change: "added" }]);

    const before = await treeDigest(memory);
    const bad = await dreamSafely(memory, dir.join("state"), badDream, nothingLost);
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

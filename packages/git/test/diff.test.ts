import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ArtifactReader, SourceDiff } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import { git } from "../src/git.js";
import { capture, commitFile, freshDir, notes, run, write } from "./harness.js";

async function diff(before: ArtifactReader, after: ArtifactReader): Promise<SourceDiff> {
  const compared = git().diff?.(before, after);
  if (compared === undefined) throw new Error("no diff");
  return await compared;
}

describe("comparing two captures", () => {
  it("finds nothing between a capture and itself, nor across a gc", async () => {
    const dir = notes(20);
    write(dir, "staged.md", "staged\n");
    run(dir, "add", "staged.md");
    const before = await capture(git(), dir);
    run(dir, "gc", "-q");
    const after = await capture(git(), dir);
    for (const found of [await diff(before, before), await diff(before, after)]) {
      expect(found.items).toEqual([]);
      expect(new Set(Object.values(found.summary))).toEqual(new Set([0]));
    }
  });

  it("counts and names commits, refs and staged edits, in both directions", async () => {
    const dir = notes(30);
    run(dir, "tag", "old");
    const before = await capture(git(), dir);
    run(dir, "reset", "-q", "--hard", "HEAD~2");
    commitFile(dir, "new.md", "one\n", "first new");
    run(dir, "gc", "-q");
    commitFile(dir, "new.md", "two\n", "second new");
    commitFile(dir, "new.md", "three\n", "third new");
    run(dir, "branch", "side");
    run(dir, "tag", "-d", "old");
    write(dir, "staged.md", "staged\n");
    run(dir, "rm", "-q", "--cached", "notes/1.md");
    run(dir, "add", "staged.md");
    const after = await capture(git(), dir);
    const found = await diff(before, after);
    expect(found.items.map(({ path, change }) => [path, change])).toEqual([
      ["HEAD", "changed"],
      ["refs/heads/main", "changed"],
      ["refs/heads/side", "added"],
      ["refs/tags/old", "removed"],
      ["index:notes/1.md", "added"],
      ["index:staged.md", "added"],
    ]);
    const head = found.items[0]?.details;
    expect(head).toMatchObject({ ahead: 3, behind: 2, diverged: true, to: run(dir, "rev-parse", "HEAD") });
    expect((head?.["commitsAdded"] as { subject: string }[]).map(({ subject }) => subject)).toEqual([
      "third new",
      "second new",
      "first new",
    ]);
    expect(found.summary).toEqual({
      ...{ commitsBetween: 5, commitsAdded: 3, commitsRemoved: 2 },
      ...{ refsAdded: 1, refsRemoved: 1, refsMoved: 1, stagedChanged: 2 },
    });
    const reverse = await diff(after, before);
    expect(reverse.items[0]?.details).toMatchObject({ ahead: 2, behind: 3, diverged: true });
  });

  it("shows repositories that came and went", async () => {
    const dir = freshDir();
    run(dir, "init", "-q", "-b", "main");
    const before = await capture(git(), dir);
    mkdirSync(join(dir, "sub"));
    run(join(dir, "sub"), "init", "-q", "-b", "main");
    commitFile(join(dir, "sub"), "x.md", "x\n");
    const after = await capture(git(), dir);
    expect((await diff(before, after)).items).toMatchObject([
      { path: "sub/.git", change: "added", details: { commits: 1 } },
    ]);
    expect((await diff(after, before)).items).toMatchObject([{ path: "sub/.git", change: "removed" }]);
  });
});

import { lstatSync } from "node:fs";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { treeDigest } from "@keepsake/testkit";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { git, makeDatabase } from "./support/agent-memory.js";
import { type KeepsakeCase, keepsakeCase } from "./support/keepsake-case.js";
import { memoryState } from "./support/memory-state.js";

/** A folder that all three sources have something in. */
async function makeShared({ memory }: KeepsakeCase): Promise<void> {
  const team = join(memory, "team");
  await mkdir(team, { recursive: true });
  await writeFile(join(team, "note.md"), "shared\n");
  makeDatabase(join(team, "facts.db"), 5).close();
  await git(team, "init", "-q", "-b", "main");
  await git(team, "add", "note.md");
  await git(team, "commit", "-q", "-m", "team");
}

async function expectShared({ memory }: KeepsakeCase): Promise<void> {
  const team = join(memory, "team");
  expect(lstatSync(team).isDirectory()).toBe(true);
  expect(await readFile(join(team, "note.md"), "utf8")).toBe("shared\n");
  const database = new Database(join(team, "facts.db"), { readonly: true });
  expect(database.prepare("SELECT count(*) FROM memories").pluck().get()).toBe(5);
  database.close();
  expect(await git(team, "log", "--format=%s")).toBe("team");
  await git(team, "fsck", "--full", "--strict");
}

describe("a folder in which several sources have something", () => {
  it("comes back whole when it is gone", async () => {
    await using at = await keepsakeCase();
    await makeShared(at);
    await at.keepsake.snapshot({ agent: "ana" });
    await rm(join(at.memory, "team"), { recursive: true });
    await writeFile(join(at.memory, "left.md"), "x");
    await at.keepsake.restore({ agent: "ana", ref: "latest" });
    await expectShared(at);
  });

  it("is not restored through a link to elsewhere: that is refused, and nothing is written anywhere", async () => {
    await using at = await keepsakeCase();
    await makeShared(at);
    await at.keepsake.snapshot({ agent: "ana" });
    await rm(join(at.memory, "team"), { recursive: true });
    const elsewhere = at.temp.join("elsewhere");
    await mkdir(elsewhere);
    await symlink("../elsewhere", join(at.memory, "team"));
    const before = await treeDigest(at.memory);
    await expect(at.keepsake.restore({ agent: "ana", ref: "latest" })).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
    expect(await treeDigest(at.memory)).toEqual(before);
    expect(await treeDigest(elsewhere)).toEqual({});
  });

  it.each([true, false])("comes back where a link has taken its place, with notes in it: %s", async (notes) => {
    await using at = await keepsakeCase();
    const data = join(at.memory, "data");
    await mkdir(data, { recursive: true });
    makeDatabase(join(data, "facts.db"), 5).close();
    if (notes) await writeFile(join(data, "note.md"), "shared\n");
    const before = await memoryState(at.memory);
    await at.keepsake.snapshot({ agent: "ana" });
    await rm(data, { recursive: true });
    const elsewhere = at.temp.join("elsewhere");
    await mkdir(elsewhere);
    makeDatabase(join(elsewhere, "facts.db"), 1).close();
    await symlink(elsewhere, data);
    const outside = await treeDigest(elsewhere);
    await at.keepsake.restore({ agent: "ana", ref: "latest" });
    expect(lstatSync(data).isDirectory()).toBe(true);
    expect(await memoryState(at.memory)).toEqual(before);
    expect(await treeDigest(elsewhere)).toEqual(outside);
  });
});

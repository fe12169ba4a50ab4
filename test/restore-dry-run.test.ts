import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { treeDigest } from "@keepsake/testkit";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { git, makeDatabase, makeMemory } from "./support/agent-memory.js";
import { type KeepsakeCase, keepsakeCase } from "./support/keepsake-case.js";
import { havePrograms } from "./support/programs.js";

const agent = "ana";

/** Everything below the case's folder that a dry run could leave something in. */
async function traces({ temp, memory, stateRoot }: KeepsakeCase): Promise<unknown> {
  const beside = (await readdir(temp.path)).sort();
  const staged = await readdir(join(stateRoot, "staging/default/ana")).catch(() => []);
  const journals = await readdir(join(stateRoot, "journals/default")).catch(() => []);
  return { beside, staged, journals, memory: await treeDigest(memory) };
}

describe.runIf(havePrograms("git"))("a dry run", () => {
  it("plans what the restore after it does, says by how much the memory differs, and leaves no trace", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    (await makeMemory(memory, { rows: 10, commits: 2 })).close();
    const { record } = await keepsake.snapshot({ agent });
    await writeFile(join(memory, "MEMORY.md"), "# Index\n- topics\n- later\n");
    await rm(join(memory, "log.jsonl"));
    await writeFile(join(memory, "new.md"), "new\n");
    const database = new Database(join(memory, "long_term.sqlite"));
    database.exec("DELETE FROM memories WHERE id > 6; INSERT INTO memories (text) VALUES ('late')");
    database.close();
    makeDatabase(join(memory, "later.db"), 2).close();
    await git(memory, "commit", "-q", "-am", "later");

    const wanted = { agent, ref: record.id };
    const before = await traces(box);
    const dry = await keepsake.restore({ ...wanted, dryRun: true });
    expect(await traces(box)).toEqual(before);

    const bySource = Object.fromEntries((dry.difference ?? []).map(({ id, items }) => [id, items]));
    expect(bySource["memory_files"]).toEqual(
      expect.arrayContaining([
        {
          path: "MEMORY.md",
          change: "changed",
          details: expect.objectContaining({ linesAdded: 0, linesRemoved: 1 }) as object,
        },
        { path: "log.jsonl", change: "added", details: { type: "file", sizeBytes: 23, linesAdded: 2 } },
        { path: "new.md", change: "removed", details: { type: "file", sizeBytes: 4, linesRemoved: 1 } },
      ]),
    );
    expect(bySource["sqlite"]).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: "later.db", change: "removed" }),
        // Row 7 is another one now: what differs is counted by the tables' keys.
        { path: "long_term.sqlite:memories", change: "changed", details: { rowsAdded: 3, rowsChanged: 1 } },
      ]),
    );
    const [repository] = (dry.difference ?? []).filter(({ id }) => id === "git");
    expect(repository?.summary).toMatchObject({ commitsAdded: 0, commitsRemoved: 1 });

    const done = await keepsake.restore(wanted);
    expect(done.plan).toEqual(dry.plan);
    expect(done.plan.map(({ action, path }) => `${action} ${path}`)).toEqual(
      expect.arrayContaining([
        ...["replace MEMORY.md", "create log.jsonl", "delete new.md", "replace long_term.sqlite", "delete later.db"],
        "replace .git",
      ]),
    );
    expect(done.difference).toBeUndefined();
    const again = await keepsake.restore({ ...wanted, dryRun: true });
    expect(again.plan).toEqual([]);
    // But for the tag by which the restore keeps what was HEAD before.
    const differing = (again.difference ?? []).flatMap(({ items }) => items.map(({ path }) => path));
    expect(differing.filter((path) => !path.includes("pre-restore-"))).toEqual([]);
  }, 120_000);

  it("tells of the selected part alone", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    (await makeMemory(memory, { rows: 3 })).close();
    const { record } = await keepsake.snapshot({ agent });
    for (const name of ["topics/note-0.md", "MEMORY.md"]) await writeFile(join(memory, name), "another\n");
    const database = new Database(join(memory, "long_term.sqlite"));
    database.exec("DELETE FROM memories");
    database.close();
    const { difference } = await keepsake.restore({ agent, ref: record.id, dryRun: true, only: ["topics"] });
    expect(difference?.map(({ id, items }) => [id, items.map(({ path }) => path)])).toEqual([
      ["memory_files", ["topics/note-0.md"]],
    ]);
    const none = await keepsake.restore({ agent, ref: record.id, dryRun: true, difference: false });
    expect(none).not.toHaveProperty("difference");
  }, 60_000);
});

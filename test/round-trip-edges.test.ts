import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { treeDigest, writeTree } from "@keepsake/testkit";
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { git, makeDatabase, makeMemory } from "./support/agent-memory.js";
import { keepsakeCase } from "./support/keepsake-case.js";
import { memoryState } from "./support/memory-state.js";
import { wreckMemory } from "./support/wreck-memory.js";

const agent = "ana";

describe("databases among notes", () => {
  it("come back from one folder that they share with notes", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    await writeTree(memory, { "topics/deep/a.md": "a" });
    makeDatabase(join(memory, "topics", "deep", "index.db"), 20).close();
    const before = await memoryState(memory);
    await keepsake.snapshot({ agent });
    await rm(join(memory, "topics"), { recursive: true });
    await keepsake.restore({ agent, ref: "latest" });
    expect(await memoryState(memory)).toEqual(before);
    await writeFile(join(memory, "topics", "deep", "a.md"), "b");
    await rm(join(memory, "topics", "deep", "index.db"));
    await keepsake.restore({ agent, ref: "latest" });
    expect(await memoryState(memory)).toEqual(before);
  });

  it("come back where a note stands now", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    makeDatabase(join(memory, "one"), 20).close();
    const before = await memoryState(memory);
    await keepsake.snapshot({ agent });
    await rm(join(memory, "one"));
    await writeFile(join(memory, "one"), "a note now");
    await keepsake.restore({ agent, ref: "latest" });
    expect(await memoryState(memory)).toEqual(before);
  });

  it("come back from folders whose names are one to some systems", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    for (const [rows, folder] of ["caf\u00e9", "cafe\u0301", "Case", "case"].entries()) {
      await mkdir(join(memory, folder));
      makeDatabase(join(memory, folder, "x.db"), rows).close();
    }
    const before = await memoryState(memory);
    const { record } = await keepsake.snapshot({ agent });
    expect((await keepsake.verify({ agent, ref: record.id })).ok).toBe(true);
    await rm(memory, { recursive: true });
    await keepsake.restore({ agent, ref: record.id });
    expect(await memoryState(memory)).toEqual(before);
  });

  it("leave no log of their own time behind: a restored database is not merged with a foreign -wal", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    const file = join(memory, "a.db");
    const writer = makeDatabase(file, 10);
    const { record } = await keepsake.snapshot({ agent });
    writer.exec("UPDATE memories SET text = 'later'");
    // The process dies: its log stays, as after a crash.
    const log = await readFile(`${file}-wal`);
    writer.close();
    await writeFile(`${file}-wal`, log);
    await keepsake.restore({ agent, ref: record.id });
    const database = new Database(file);
    expect(database.prepare("SELECT count(*) FROM memories WHERE text = 'later'").pluck().get()).toBe(0);
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    database.close();
  });
});

describe("names that every object of the language has", () => {
  const NAMES = ["constructor", "__proto__", "toString", "valueOf", "hasOwnProperty"];

  it("come back as any other, of notes, folders, databases, their tables and columns, and branches", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    await git(memory, "init", "-q", "-b", "main");
    for (const name of NAMES) {
      await writeTree(memory, { [`notes/${name}`]: `of ${name}`, [`deep/${name}/${name}`]: "deep" });
      await writeFile(join(memory, name), "at the top");
      await git(memory, "add", "--", name, `notes/${name}`, "deep");
      await git(memory, "commit", "-q", "-m", name);
      await git(memory, "branch", name);
      const database = makeDatabase(join(memory, "notes", `${name}.db`), 5);
      database.exec(`CREATE TABLE "${name}" ("${name}"); INSERT INTO "${name}" VALUES ('${name}')`);
      database.close();
    }
    const before = await memoryState(memory);
    const { record } = await keepsake.snapshot({ agent });
    await rm(join(memory, "notes"), { recursive: true });
    const later = await keepsake.snapshot({ agent, redact: true });
    const { sources } = await keepsake.diff({ agent, from: record.id, to: later.record.id });
    expect(sources.map(({ id }) => id)).toContain("sqlite");
    await keepsake.restore({ agent, ref: record.id });
    expect(await memoryState(memory)).toEqual(before);
  });
});

describe("a source that was absent", () => {
  it("is absent again after the restore", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    await writeTree(memory, { "a.md": "a" });
    const before = await memoryState(memory);
    const { record, manifest } = await keepsake.snapshot({ agent });
    expect(manifest?.sources.map(({ id, status }) => `${id} ${status}`)).toEqual([
      "sqlite absent",
      "git absent",
      "memory_files captured",
    ]);
    makeDatabase(join(memory, "later.db"), 3).close();
    await git(memory, "init", "-q", "-b", "main");
    await git(memory, "add", "a.md");
    await git(memory, "commit", "-q", "-m", "later");
    const later = await memoryState(memory);
    const report = await keepsake.restore({ agent, ref: record.id });
    expect(await memoryState(memory)).toEqual(before);
    await keepsake.restore({ agent, ref: report.preSnapshot ?? "" });
    expect(await memoryState(memory)).toEqual(later);
  });
});

describe("a dry run", () => {
  it("changes nothing, and plans what the restore then does", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake, temp, stateRoot } = box;
    const database = await makeMemory(memory, { commits: 1 });
    const { record } = await keepsake.snapshot({ agent });
    await wreckMemory(memory, database);
    const bytes = await treeDigest(temp.path);
    const planned = await keepsake.restore({ agent, ref: record.id, dryRun: true });
    expect(planned).toMatchObject({ dryRun: true, from: record.id });
    expect(planned.preSnapshot).toBeUndefined();
    const memoryOnly = (digest: typeof bytes) => Object.entries(digest).filter(([path]) => !path.startsWith("state"));
    expect(memoryOnly(await treeDigest(temp.path))).toEqual(memoryOnly(bytes));
    expect(await bundlesIn(stateRoot)).toEqual(Object.keys(bytes).filter(isBundle).map(withoutRoot));
    const paths = planned.plan.map(({ source, action, path }) => `${source}: ${action} ${path}`);
    expect(paths).toEqual(
      expect.arrayContaining([
        "sqlite: replace long_term.sqlite",
        "sqlite: delete new.sqlite",
        "memory_files: replace MEMORY.md",
        "memory_files: set_attributes tool.sh",
      ]),
    );
    const done = await keepsake.restore({ agent, ref: record.id });
    expect(done.plan).toEqual(planned.plan);
    const again = await keepsake.restore({ agent, ref: record.id, dryRun: true });
    expect(again.plan, "nothing is left to do").toEqual([]);
  });
});

describe("any small tree", () => {
  // Folders, files and databases have names of their own: one kind in the place of another has tests of its own.
  const folder = fc.array(fc.constantFrom("a", "A", "é", "e\u0301"), { maxLength: 2 });
  const below = (name: fc.Arbitrary<string>) =>
    fc.tuple(folder, name).map(([parts, last]) => [...parts, last].join("/"));
  const file = fc.record({ text: fc.string({ maxLength: 12 }), mode: fc.constantFrom(0o644, 0o600, 0o755, 0o400) });
  const tree = fc.record({
    files: fc.dictionary(below(fc.constantFrom("b.md", "B.md", "c.txt", "none")), file, { minKeys: 1, maxKeys: 4 }),
    databases: fc.dictionary(below(fc.constantFrom("x.db", "y")), fc.integer({ min: 0, max: 3 }), { maxKeys: 2 }),
    folders: fc.array(below(fc.constantFrom("empty", "a")), { maxLength: 2 }),
  });

  it("comes back over any other", async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, async (was, became) => {
        await using box = await keepsakeCase();
        const { memory, keepsake } = box;
        await write(memory, was);
        const before = await memoryState(memory);
        const { record } = await keepsake.snapshot({ agent });
        await rm(memory, { recursive: true });
        await write(memory, became);
        const other = await memoryState(memory);
        const { preSnapshot } = await keepsake.restore({ agent, ref: record.id });
        expect(await memoryState(memory)).toEqual(before);
        await keepsake.restore({ agent, ref: preSnapshot ?? "" });
        expect(await memoryState(memory)).toEqual(other);
      }),
      // Every try is five operations: not shrunk, for each step of that takes as long.
      { numRuns: 6, endOnFailure: true },
    );
  }, 180_000);

  type Tree = typeof tree extends fc.Arbitrary<infer T> ? T : never;

  async function write(root: string, { files, databases, folders }: Tree): Promise<void> {
    for (const [path, { text, mode }] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text, { mode });
    }
    for (const [path, rows] of Object.entries(databases)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      makeDatabase(join(root, path), rows).close();
    }
    for (const path of folders) await mkdir(join(root, path), { recursive: true });
  }
});

const isBundle = (path: string): boolean => path.endsWith(".tar.zst");
const withoutRoot = (path: string): string => path.slice("state/".length);

async function bundlesIn(stateRoot: string): Promise<readonly string[]> {
  return Object.keys(await treeDigest(stateRoot)).filter(isBundle);
}

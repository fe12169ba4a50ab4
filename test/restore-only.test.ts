import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TreeDigest, treeDigest, writeTree } from "@keepsake/testkit";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { git } from "./support/agent-memory.js";
import { type KeepsakeCase, keepsakeCase } from "./support/keepsake-case.js";
import { type LogicalDatabase, logicalDatabase } from "./support/logical-database.js";
import { repositoryState } from "./support/memory-state.js";
import { havePrograms } from "./support/programs.js";

const agent = "ana";
const DATABASES = ["long_term.db", "data/short.db", "data/new.db"];
const CURSOR = "run/cursor.json";
const DREAM = "run/dream.json";

/** All that a restore of a part could touch, piece by piece. */
interface World {
  readonly files: TreeDigest;
  readonly databases: Readonly<Record<string, LogicalDatabase | undefined>>;
  readonly repository: unknown;
  readonly state: Readonly<Record<string, string | undefined>>;
}

async function worldOf({ memory, temp }: KeepsakeCase): Promise<World> {
  const files = await treeDigest(memory, { exclude: (path) => path === ".git" || DATABASES.includes(path) });
  const databases: Record<string, LogicalDatabase | undefined> = {};
  for (const name of DATABASES) databases[name] = await logicalDatabase(join(memory, name)).catch(() => undefined);
  const text = (path: string) => readFile(temp.join(path), "utf8").catch(() => undefined);
  const { head, refs, log, index } = await repositoryState(memory);
  return {
    files,
    databases,
    repository: { head, refs, log, index },
    state: { [CURSOR]: await text(CURSOR), [DREAM]: await text(DREAM) },
  };
}

async function fill(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const database = new Database(file);
  database.exec("CREATE TABLE IF NOT EXISTS memory (id INTEGER PRIMARY KEY, text TEXT)");
  database.prepare("INSERT INTO memory (text) VALUES (?)").run(text);
  database.close();
}

/** A memory of everything, its snapshot, and another one since in every part of it. */
async function changedMemory(box: KeepsakeCase): Promise<{ id: string; then: World; now: World }> {
  const { memory, temp, keepsake } = box;
  const notes = {
    "people.md": "Ben",
    "topics/a.md": "a",
    "topics/b.md": "b",
    "topics/sub/c.md": "c",
    "log/x.txt": "x",
  };
  await writeTree(memory, notes);
  for (const name of DATABASES.slice(0, 2)) await fill(join(memory, name), "then");
  await writeTree(temp.path, { [CURSOR]: '{"at": 1}\n' });
  await git(memory, "init", "-q", "-b", "main");
  await writeFile(join(memory, ".gitignore"), "*.db\n");
  await git(memory, "add", "-A");
  await git(memory, "commit", "-q", "-m", "then");
  const { record } = await keepsake.snapshot({ agent });
  const then = await worldOf(box);
  await writeTree(memory, {
    ...{ "people.md": "Ben and Zoe", "topics/a.md": "a, later", "topics/new.md": "new", "topics/sub/d.md": "d" },
    ...{ "log/x.txt": "x, later", "log/y.md": "y" },
  });
  await rm(join(memory, "topics/b.md"));
  for (const name of DATABASES) await fill(join(memory, name), "now");
  await writeTree(temp.path, { [CURSOR]: '{ "at" : 2 }\n', [DREAM]: '["asleep"]\n' });
  await git(memory, "add", "-A");
  await git(memory, "commit", "-q", "-m", "now");
  return { id: record.id, then, now: await worldOf(box) };
}

/** What is expected of a restore of a part. */
interface Part {
  readonly only: readonly string[];
  readonly files?: (path: string) => boolean;
  readonly databases?: readonly string[];
  readonly repository?: true;
  readonly state?: readonly string[];
  readonly notice?: string;
}

const inTopics = (path: string): boolean => path === "topics" || path.startsWith("topics/");
const isNote = (path: string): boolean => path.endsWith(".md");
const everything = (): boolean => true;
const FILES_ALONE = "without their repository";
const REPOSITORY_ALONE = "without all of its working files";

const PARTS: readonly Part[] = [
  { only: ["people.md"], files: (path) => path === "people.md", notice: FILES_ALONE },
  { only: ["./people.md", "log/y.md"], files: (path) => ["people.md", "log/y.md"].includes(path), notice: FILES_ALONE },
  { only: ["topics"], files: inTopics, notice: FILES_ALONE },
  { only: ["topics/**"], files: inTopics, notice: FILES_ALONE },
  { only: ["memory_files/topics/"], files: inTopics, notice: FILES_ALONE },
  { only: ["**/*.md"], files: isNote, notice: FILES_ALONE },
  { only: ["memory_files"], files: everything, notice: FILES_ALONE },
  { only: ["long_term.db"], databases: ["long_term.db"] },
  { only: ["sqlite/data"], databases: ["data/short.db", "data/new.db"] },
  { only: ["*.db"], databases: ["long_term.db"] },
  { only: ["sqlite"], databases: DATABASES },
  { only: ["state/extract_cursor.json"], state: [CURSOR] },
  { only: ["state/dream_run"], state: [DREAM] },
  { only: ["state"], state: [CURSOR, DREAM] },
  { only: ["git"], repository: true, notice: REPOSITORY_ALONE },
  { only: [".git"], repository: true, notice: REPOSITORY_ALONE },
  {
    only: ["topics", "long_term.db", "state/extract_cursor"],
    ...{ files: inTopics, databases: ["long_term.db"], state: [CURSOR], notice: FILES_ALONE },
  },
  { only: ["."], files: everything, databases: DATABASES, repository: true },
];

/** The old world where it is selected, else the one of now. */
function expected(then: World, now: World, part: Part): World {
  const pick = <T>(
    old: Readonly<Record<string, T>>,
    late: Readonly<Record<string, T>>,
    isOld: (key: string) => boolean,
  ) =>
    Object.fromEntries(
      [...new Set([...Object.keys(old), ...Object.keys(late)])].flatMap((key) => {
        const value = (isOld(key) ? old : late)[key];
        return value === undefined ? [] : [[key, value]];
      }),
    ) as Record<string, T>;
  return {
    files: pick(then.files, now.files, part.files ?? (() => false)),
    databases: pick(then.databases, now.databases, (name) => part.databases?.includes(name) === true),
    repository: (part.repository === true ? then : now).repository,
    state: pick(then.state, now.state, (key) => part.state?.includes(key) === true),
  };
}

/** A state value comes back as a value; how its file spells it is its writer's affair where it was written anew. */
function plain({ files, databases, repository, state }: World, spelled: readonly string[]): unknown {
  const values = Object.entries(state).flatMap(([key, text]) =>
    text === undefined ? [] : [[key, spelled.includes(key) ? JSON.stringify(JSON.parse(text)) : text] as const],
  );
  const found = Object.entries(databases).filter(([, database]) => database !== undefined);
  return { files, databases: Object.fromEntries(found), repository, state: Object.fromEntries(values) };
}

async function leftBeside({ temp, stateRoot }: KeepsakeCase): Promise<readonly string[]> {
  const beside = (await readdir(temp.path)).filter((name) => name.startsWith(".keepsake-"));
  const journals = await readdir(join(stateRoot, "journals/default")).catch(() => []);
  const staged = await readdir(join(stateRoot, "staging/default/ana")).catch(() => []);
  return [...beside, ...journals, ...staged];
}

describe.runIf(havePrograms("git"))("a restore of a part", () => {
  let box: KeepsakeCase;
  let id: string;
  let then: World;
  let now: World;

  beforeAll(async () => {
    box = await keepsakeCase({
      state: [{ use: "json-file", keys: { extract_cursor: `./${CURSOR}`, dream_run: `./${DREAM}` } }],
    });
    ({ id, then, now } = await changedMemory(box));
  }, 120_000);
  afterAll(() => box[Symbol.asyncDispose]());

  it.each(PARTS)(
    "$only: that part is as in the snapshot, all else as it was; and it can be undone",
    async (part) => {
      const wanted = { agent, ref: id, only: part.only };
      const dry = await box.keepsake.restore({ ...wanted, dryRun: true });
      expect(plain(await worldOf(box), []), "a dry run").toEqual(plain(now, []));
      const report = await box.keepsake.restore(wanted);
      expect(report.plan).toEqual(dry.plan);
      expect(report.only).toEqual(part.only);
      const touched = part.state ?? [];
      expect(plain(await worldOf(box), touched)).toEqual(plain(expected(then, now, part), touched));
      if (part.notice === undefined) expect(report.notices).toEqual([]);
      else expect(report.notices.join()).toContain(part.notice);
      expect([...report.sqliteRestoredDbs].sort()).toEqual(
        DATABASES.filter(
          (name) => part.databases?.includes(name) === true && then.databases[name] !== undefined,
        ).sort(),
      );
      expect(report.gitResetOid !== undefined).toBe(part.repository === true);
      await box.keepsake.restore({ agent, ref: report.preSnapshot ?? "", preSnapshot: false });
      expect(plain(await worldOf(box), [CURSOR, DREAM]), "undone").toEqual(plain(now, [CURSOR, DREAM]));
      // As it was spelled, for the next.
      await writeTree(box.temp.path, { [CURSOR]: now.state[CURSOR] ?? "", [DREAM]: now.state[DREAM] ?? "" });
      expect(await leftBeside(box)).toEqual([]);
    },
    120_000,
  );

  it.each([
    ["peple.md", "E_NOT_FOUND", /people\.md/],
    ["sqlite/longterm.db", "E_NOT_FOUND", /long_term\.db/],
    ["state/extract_cursr", "E_NOT_FOUND", /./],
    [".git/config", "E_UNSUPPORTED", /repository itself/],
    ["git/refs/heads/main", "E_UNSUPPORTED", /repository itself/],
    ["../elsewhere", "E_USAGE", /relative/],
    ["/etc/passwd", "E_USAGE", /relative/],
    ["", "E_USAGE", /relative/],
  ])("%j is refused with %s before anything changes", async (pattern, code, hint) => {
    const asked = box.keepsake.restore({ agent, ref: id, only: ["people.md", pattern] });
    await expect(asked).rejects.toMatchObject({ code, hint: expect.stringMatching(hint) as string });
    expect(await worldOf(box)).toEqual(now);
    expect(await leftBeside(box)).toEqual([]);
  });

  it.each(["git", "sqlite", "state"])(
    "of %s is refused where neither the snapshot nor the memory has any",
    async (id) => {
      await using other = await keepsakeCase();
      await writeFile(join(other.memory, "note.md"), "a note");
      const { record } = await other.keepsake.snapshot({ agent: "ana" });
      await expect(other.keepsake.restore({ agent: "ana", ref: record.id, only: [id] })).rejects.toMatchObject({
        code: "E_NOT_FOUND",
        hint: expect.not.stringMatching(new RegExp(`There is:.*\\b${id}\\b`)) as string,
      });
    },
  );

  it("sets nothing aside that is not selected, also where it has taken a folder's place", async () => {
    await using other = await keepsakeCase();
    const { memory, keepsake } = other;
    await writeTree(memory, { "topics/a.md": "a" });
    await fill(join(memory, "data/short.db"), "then");
    const { record } = await keepsake.snapshot({ agent });
    for (const [folder, only] of [
      ["topics", "topics/a.md"],
      ["data", "data/short.db"],
    ] as const) {
      await rm(join(memory, folder), { recursive: true });
      await symlink(other.temp.path, join(memory, folder));
      const asked = keepsake.restore({ agent, ref: record.id, only: [only] });
      await expect(asked).rejects.toMatchObject({ code: "E_ALREADY_EXISTS" });
      expect(await readdir(other.temp.path)).not.toContain("a.md");
      await keepsake.restore({ agent, ref: record.id, only: [folder] });
      expect(await readdir(join(memory, folder))).toHaveLength(1);
    }
  });

  it("makes the folders on the way where they are gone, with the modes they had", async () => {
    await using other = await keepsakeCase();
    const { memory, keepsake } = other;
    await writeTree(memory, { "deep/er/a.md": "a", "deep/er/b.md": "b" });
    const before = await treeDigest(memory);
    const { record } = await keepsake.snapshot({ agent });
    await rm(join(memory, "deep"), { recursive: true });
    await writeTree(memory, { "other.md": "stays" });
    await keepsake.restore({ agent, ref: record.id, only: ["deep/er/a.md"] });
    const { "deep/er/b.md": _b, ...rest } = before;
    expect(await treeDigest(memory, { exclude: (path) => path === "other.md" })).toEqual(rest);
  });
});

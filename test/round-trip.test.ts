import { chmod, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { tempDir, type TreeSpec, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { git, makeMemory } from "./support/agent-memory.js";
import { execute } from "./support/execute.js";
import { type KeepsakeCase, keepsakeCase } from "./support/keepsake-case.js";
import { memoryState } from "./support/memory-state.js";
import { runCli, runJson } from "./support/run-cli.js";
import { wreckMemory } from "./support/wreck-memory.js";

const OLD = 1_500_000_000_000;

/** What a file system can hold and copying loses. */
const ODD: TreeSpec = [
  ["Case.md", "capital"],
  ["case.md", "small"],
  ["Dir/x.md", "1"],
  ["dir/x.md", "2"],
  ["caf\u00e9.md", "composed"],
  ["cafe\u0301.md", "decomposed"],
  [Buffer.from([0x6e, 0xff, 0xfe, 0x2e, 0x6d, 0x64]), "no UTF-8"],
  [Buffer.from([0x64, 0xff, 0x2f, 0x78]), "below no UTF-8"],
  ["new\nline", "n"],
  ["back\\slash", "b"],
  ["old.md", { file: "old", mtimeMs: OLD, mode: 0o640 }],
  ["private", { file: "p", mode: 0o400 }],
  ["old folder", { directory: true, mtimeMs: OLD, mode: 0o711 }],
  ["dangling", { link: "not/there", mtimeMs: OLD }],
  ["empty file", ""],
];

/** A memory with all of it, quiet. */
async function fullMemory({ memory }: KeepsakeCase) {
  const database = await makeMemory(memory, { commits: 3 });
  await writeTree(memory, ODD);
  return database;
}

describe("snapshot, wreck, restore", () => {
  it("gives everything back, undoes the restore, and restores the same snapshot again", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    const agent = "ana";
    const database = await fullMemory(box);
    const before = await memoryState(memory);
    const { record, manifest } = await keepsake.snapshot({ agent });
    expect(record.complete).toBe(true);
    expect(await memoryState(memory), "a snapshot changes nothing").toEqual(before);

    await wreckMemory(memory, database);
    const wrecked = await memoryState(memory);
    expect(wrecked).not.toEqual(before);
    const report = await keepsake.restore({ agent, ref: record.id });
    expect(report).toMatchObject({
      agentId: agent,
      from: record.id,
      dryRun: false,
      gitResetOid: manifest?.git.headOid,
    });
    expect(report.sqliteRestoredDbs).toEqual(["long_term.sqlite"]);
    expect(await memoryState(memory)).toEqual(before);
    expect(await git(memory, "fsck", "--full", "--strict")).toBe("");
    // What was HEAD before the restore stays reachable.
    expect(await git(memory, "for-each-ref", "--format=%(subject)", "refs/tags/pre-restore-*")).toBe("wrecked");

    const undone = await keepsake.restore({ agent, ref: report.preSnapshot ?? "" });
    expect(await memoryState(memory)).toEqual(wrecked);
    await keepsake.restore({ agent, ref: record.id });
    await keepsake.restore({ agent, ref: record.id });
    expect(await memoryState(memory)).toEqual(before);
    await keepsake.restore({ agent, ref: undone.preSnapshot ?? "" });
    expect(await memoryState(memory)).toEqual(before);
  });

  it("does the same through the command", async () => {
    await using temp = await tempDir();
    const memory = temp.join("memory");
    await mkdir(memory);
    const database = await makeMemory(memory, { commits: 1 });
    const before = await memoryState(memory);
    const common = ["--agent", "ana", "--memory", memory, "--root", temp.join("state")];
    const record = await runJson(["snapshot", ...common, "--no-redact", "--label", "good"]);
    await wreckMemory(memory, database);
    const wrecked = await memoryState(memory);
    const refused = await runCli(["restore", ...common, "latest"]);
    expect(refused.code, "no --yes, no terminal").toBe(5);
    expect(await memoryState(memory)).toEqual(wrecked);
    const report = await runJson(["restore", ...common, "latest", "--yes"]);
    expect(report).toMatchObject({ agent_id: "ana", from: record["id"], dry_run: false });
    expect(await memoryState(memory)).toEqual(before);
    await runJson(["restore", ...common, report["pre_snapshot"] as string, "--yes"]);
    expect(await memoryState(memory)).toEqual(wrecked);
  });

  it.each([
    ["an empty", true],
    ["a missing", false],
  ])("restores into %s directory", async (_name, exists) => {
    await using box = await keepsakeCase();
    const { memory, keepsake, temp } = box;
    const database = await fullMemory(box);
    const before = await memoryState(memory);
    await keepsake.snapshot({ agent: "ana" });
    database.close();
    const elsewhere = temp.join("another", "place");
    if (exists) await mkdir(elsewhere, { recursive: true });
    const report = await keepsake.restore({ agent: "ana", ref: "latest", memory: elsewhere });
    expect(report.preSnapshot, "there is nothing to undo").toBeUndefined();
    expect(await memoryState(elsewhere)).toEqual(before);
  });
});

describe("state values", () => {
  it("are captured, replayed, and cleared when the bundle has none", async () => {
    await using box = await keepsakeCase({
      state: [{ use: "json-file", keys: { extract_cursor: "./run/cursor.json", dream_run: "./run/dream.json" } }],
    });
    const { memory, keepsake, temp } = box;
    await writeTree(memory, { "a.md": "a" });
    await writeTree(temp.join("run"), { "cursor.json": '{"line": 41, "deep": [1, null, "ü"]}' });
    const { record } = await keepsake.snapshot({ agent: "ana" });
    await writeTree(temp.join("run"), { "cursor.json": '{"line": 99}', "dream.json": "{}" });

    const report = await keepsake.restore({ agent: "ana", ref: record.id });
    const value = async (name: string): Promise<unknown> => JSON.parse(await readFile(temp.join("run", name), "utf8"));
    expect(await value("cursor.json")).toEqual({ line: 41, deep: [1, null, "ü"] });
    await expect(value("dream.json")).rejects.toThrow(/ENOENT/);
    expect(report.stateFilesRestored).toEqual(["extract_cursor"]);
    expect(report.plan.filter(({ source }) => source === "state")).toEqual([
      { source: "state", action: "replace", path: "extract_cursor" },
      { source: "state", action: "delete", path: "dream_run" },
    ]);

    await keepsake.restore({ agent: "ana", ref: report.preSnapshot ?? "" });
    expect([await value("cursor.json"), await value("dream.json")]).toEqual([{ line: 99 }, {}]);
  });
});

describe("what is no file, folder or link", () => {
  it("is recorded, does not make the snapshot incomplete, and is left alone by a restore", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    await writeTree(memory, { "a.md": "a", "run/b.md": "b" });
    await execute("mkfifo", [join(memory, "run", "pipe")]);
    await execute(
      "python3",
      ["-c", "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", "run/socket"],
      {
        cwd: memory,
      },
    );
    const before = await memoryState(memory);
    expect(before.tree).toMatchObject({ "run/pipe": { type: "special" }, "run/socket": { type: "special" } });
    const { record, manifest } = await keepsake.snapshot({ agent: "ana" });
    expect(record.complete).toBe(true);
    expect(manifest?.omitted.map(({ path, reason }) => [path, reason]).sort()).toEqual([
      ["run/pipe", "special_file"],
      ["run/socket", "special_file"],
    ]);
    await rm(join(memory, "run", "b.md"));
    await chmod(join(memory, "a.md"), 0o600);
    await keepsake.restore({ agent: "ana", ref: record.id });
    expect(await memoryState(memory)).toEqual(before);
  });
});

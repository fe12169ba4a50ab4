import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { tempDir, treeDigest } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { openKeepsake } from "../src/open-keepsake.js";
import { presetsPlugin } from "../src/presets.plugin.js";

const log = { level: "silent" as const };

async function write(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(`${root}/${name}`), { recursive: true });
    await writeFile(`${root}/${name}`, text);
  }
}

/** Paths of what a snapshot of `memory` under a preset holds, and of what it left out. */
async function captured(preset: string, files: Readonly<Record<string, string>>) {
  await using dir = await tempDir();
  const memory = dir.join("memory");
  await write(memory, files);
  await using keepsake = await openKeepsake({ config: { preset, log }, cwd: dir.path, env: {} });
  const { manifest, record } = await keepsake.snapshot({ agent: "ana", memory });
  return {
    paths: (manifest?.artifacts ?? [])
      .filter(({ type }) => type !== "directory")
      .map((artifact) => artifact.pathInBundle),
    omitted: manifest?.omitted.map(({ path, reason }) => `${path}: ${reason}`),
    complete: record.complete,
  };
}

describe("the standard Keepsake", () => {
  it("opens with no configuration, and with every preset", async () => {
    await using dir = await tempDir();
    for (const preset of Object.keys(presetsPlugin.presets ?? {})) {
      await using keepsake = await openKeepsake({ config: { preset, log }, cwd: dir.path, env: {} });
      expect(keepsake.config.preset).toBe(preset);
    }
    await using plain = await openKeepsake({ cwd: dir.path, env: { HOME: dir.path } });
    expect(plain.config.state_root).toBe(dir.join(".local/share/keepsake"));
    const names = (await plain.plugins()).flatMap(({ providers }) =>
      providers.map(({ kind, name }) => `${kind} ${name}`),
    );
    expect(names).toEqual(
      expect.arrayContaining([
        "source sqlite",
        "source git",
        "source memdir",
        "state json-file",
        "codec zstd",
        "codec age",
      ]),
    );
    expect(names).toEqual(expect.arrayContaining(["store local-fs", "lock local-fs", "redaction default"]));
  });

  it("takes a snapshot and gives it back", async () => {
    await using dir = await tempDir();
    const memory = dir.join("ana");
    await write(memory, { "notes/a.md": "one\n", "notes/b.md": "two\n" });
    const before = await treeDigest(memory);
    await using keepsake = await openKeepsake({
      config: { agents: { "*": { memory: "./{agent}" } }, log },
      cwd: dir.path,
      env: {},
    });
    const { record } = await keepsake.snapshot({ agent: "ana", label: "first", redact: false });
    await rm(dir.join("ana/notes/a.md"));
    await writeFile(dir.join("ana/new.md"), "three");
    await keepsake.restore({ agent: "ana", ref: record.id });
    expect(await treeDigest(memory)).toEqual(before);
    expect((await keepsake.list({ agent: "ana" })).snapshots.map(({ label }) => label)).toContain("first");
  });
});

describe("the preset", () => {
  it("claude-code captures memory, and neither credentials nor transcripts", async () => {
    const { paths, omitted } = await captured("claude-code", {
      "CLAUDE.md": "x",
      "projects/p/memory/MEMORY.md": "x",
      "projects/p/memory/deep/er.md": "x",
      "projects/p/1234.jsonl": "transcript",
      "agents/a.md": "x",
      "commands/c/d.md": "x",
      "skills/s/SKILL.md": "x",
      ".credentials.json": "{}",
      "settings.json": "{}",
      "shell-snapshots/s.sh": "x",
      "statsig/s": "x",
      "todos/t.json": "[]",
      "history.jsonl": "x",
    });
    expect(paths.sort()).toEqual(
      [
        "CLAUDE.md",
        "agents/a.md",
        "commands/c/d.md",
        "projects/p/memory/MEMORY.md",
        "projects/p/memory/deep/er.md",
        "skills/s/SKILL.md",
      ].map((path) => `memory_files/${path}`),
    );
    expect(omitted).toEqual(expect.arrayContaining([expect.stringMatching(/\.credentials\.json: excluded$/)]));
  });

  it("mcp-memory captures the graph alone", async () => {
    const { paths } = await captured("mcp-memory", {
      "memory.jsonl": '{"type":"entity"}\n',
      "index.js": "x",
      "sub/memory.jsonl": "{}\n",
    });
    expect(paths).toEqual(["memory_files/memory.jsonl"]);
  });

  it("nexo reports databases that are not there, and has the state once", async () => {
    const { paths, complete } = await captured("nexo", {
      "MEMORY.md": "x",
      "state/extract_cursor.json": "7",
    });
    expect(paths.sort()).toEqual(["memory_files/MEMORY.md", "state/extract_cursor.json"]);
    expect(complete).toBe(false);
  });
});

import { mkdir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir, treeDigest, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { git, makeDatabase } from "./support/agent-memory.js";
import { memoryState } from "./support/memory-state.js";
import { runCli, runJson } from "./support/run-cli.js";

const NEXO = ["long_term", "vector", "concepts", "compactions"];

describe("the preset nexo", () => {
  it("gives four databases, the notes with their repository and two state values back by name", async () => {
    await using temp = await tempDir();
    const memory = temp.join("nexo", "ana");
    await mkdir(memory, { recursive: true });
    for (const [index, name] of NEXO.entries()) makeDatabase(join(memory, `${name}.sqlite`), 10 * (index + 1)).close();
    await writeTree(memory, {
      "MEMORY.md": "# Memory\n",
      "2026/11/23.md": "today\n",
      "state/extract_cursor.json": '{"message":17}',
      "state/dream_run.json": '{"last":"2026-11-22"}',
      ".gitignore": "*.sqlite*\nstate/\n",
    });
    await git(memory, "init", "-q", "-b", "main");
    await git(memory, "add", "-A");
    await git(memory, "commit", "-q", "-m", "notes");
    await writeTree(temp.path, {
      "keepsake.config.yaml": 'preset: nexo\nstate_root: ./state\nagents: { "*": { memory: "./nexo/{agent}" } }\n',
    });
    const at = { cwd: temp.path };
    const before = await memoryState(memory);
    const record = await runJson(["snapshot", "--agent", "ana", "--no-redact"], at);
    expect(record).toMatchObject({ complete: true });
    const manifest = await runJson(["show", "--agent", "ana", "latest"], at);
    const kinds = (manifest["artifacts"] as { kind: string }[]).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(
      new Set([
        ...NEXO.map((name) => `sqlite_${name}`),
        "git_bundle",
        "memory_file",
        "state_extract_cursor",
        "state_dream_run",
      ]),
    );

    await writeTree(memory, {
      "state/extract_cursor.json": '{"message":99}',
      "2026/11/23.md": "wrong",
      "2026/11/24.md": "x",
    });
    await unlink(join(memory, "state", "dream_run.json"));
    await unlink(join(memory, "vector.sqlite"));
    await git(memory, "commit", "-q", "-am", "wrong");
    const report = await runJson(["restore", "--agent", "ana", "latest", "--yes"], at);
    expect(report["sqlite_restored_dbs"]).toEqual(NEXO.map((name) => `${name}.sqlite`).sort());
    expect((report["state_files_restored"] as string[]).sort()).toEqual(["dream_run", "extract_cursor"]);
    expect(withoutState(await memoryState(memory))).toEqual(withoutState(before));
    const value = async (name: string): Promise<unknown> =>
      JSON.parse(await readFile(join(memory, "state", name), "utf8"));
    expect(await value("extract_cursor.json")).toEqual({ message: 17 });
    expect(await value("dream_run.json")).toEqual({ last: "2026-11-22" });
  });

  it("says with its own exit code that a database is missing", async () => {
    await using temp = await tempDir();
    const memory = temp.join("ana");
    await mkdir(memory);
    makeDatabase(join(memory, "long_term.sqlite"), 3).close();
    await writeFile(temp.join("c.yaml"), "preset: nexo\n");
    const args = ["--agent", "ana", "--memory", memory, "--root", temp.join("s"), "--config", temp.join("c.yaml")];
    expect((await runCli(["snapshot", ...args])).code).toBe(3);
    const manifest = await runJson(["show", "latest", "--agent", "ana", ...args.slice(4)]);
    expect(
      (manifest["omitted"] as { path: string; reason: string }[]).map(({ path, reason }) => `${path}: ${reason}`),
    ).toEqual(NEXO.slice(1).map((name) => `${name}.sqlite: absent`));
  });
});

describe("the preset claude-code", () => {
  it("gives memory back and touches neither credentials nor transcripts", async () => {
    await using temp = await tempDir();
    const home = temp.join("home");
    const claude = join(home, ".claude");
    await writeTree(claude, {
      "CLAUDE.md": "# Preferences\n",
      "rules/style.md": "short\n",
      "projects/-srv-app/memory/MEMORY.md": "# Index\n- [x](x.md)\n",
      "projects/-srv-app/memory/x.md": "learnt\n",
      "projects/-srv-app/0c7e.jsonl": '{"type":"user"}\n',
      "agents/reviewer.md": "---\nname: reviewer\n---\n",
      "commands/ship.md": "ship it\n",
      "skills/pdf/SKILL.md": "pdf\n",
      "skills/pdf/run.sh": { file: "#!/bin/sh\n", mode: 0o755 },
      ".credentials.json": { file: '{"token":"secret"}', mode: 0o600 },
      "settings.json": "{}",
      "statsig/cache": "x",
      "history.jsonl": "{}\n",
    });
    await writeFile(temp.join("c.yaml"), "preset: claude-code\n");
    const at = { env: { HOME: home } };
    const common = ["--agent", "me", "--root", temp.join("state"), "--config", temp.join("c.yaml")];
    const before = await treeDigest(claude);
    await runJson(["snapshot", ...common, "--no-redact"], at);
    await writeTree(claude, {
      "CLAUDE.md": "rewritten by a mistake\n",
      "projects/-srv-app/memory/new.md": "new",
      ".credentials.json": '{"token":"newer"}',
      "projects/-srv-app/0c7e.jsonl": '{"type":"user"}\n{"type":"later"}\n',
    });
    await rm(join(claude, "skills"), { recursive: true });
    const changed = await treeDigest(claude);
    await runJson(["restore", ...common, "latest", "--yes"], at);
    const after = await treeDigest(claude);
    for (const path of [".credentials.json", "projects/-srv-app/0c7e.jsonl", "settings.json", "history.jsonl"]) {
      expect(after[path], path).toEqual(changed[path]);
    }
    const mine = (tree: typeof after) => Object.entries(tree).filter(([path]) => isMemory(path));
    expect(mine(after)).toEqual(mine(before));
  });
});

const isMemory = (path: string): boolean => /^(CLAUDE\.md|rules|agents|commands|skills)|\/memory\//.test(path);

/** State values come back as values, not in their former spelling: they are compared apart. */
function withoutState(state: Awaited<ReturnType<typeof memoryState>>): unknown {
  const isState = (path: string): boolean => path === "state" || path.startsWith("state/");
  return { ...state, tree: Object.fromEntries(Object.entries(state.tree).filter(([path]) => !isState(path))) };
}

import { readFile } from "node:fs/promises";
import Database from "better-sqlite3";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { agentNameOf } from "../src/init/agent-name.js";
import { detectMemory } from "../src/init/detect.js";
import { configTemplate } from "../src/init/template.js";
import { Bench } from "./support/keepsake.js";
import { makeMemory, makeRepository } from "./support/memory.js";

const bench = new Bench();

/** The keys of config.md: what a template that lost one would no longer teach. */
const KEYS = [
  ...["version", "state_root", "plugins", "agents", "preset", "sources", "state", "cut", "redaction", "codecs"],
  ...["encryption", "stores", "lock", "snapshot", "restore", "limits", "retention", "events", "log"],
];

function database(path: string, sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

describe("what a directory holds is told from its content", () => {
  it("databases by their header, whatever they are called, and the repository", async () => {
    await makeMemory(bench, "plain");
    await makeRepository(bench.path("plain"));
    await bench.write({ "plain/fake.sqlite": "no database" });
    expect(await detectMemory(bench.path("plain"))).toEqual({
      preset: "directory",
      reason: "its content is discovered",
      databases: ["facts.db"],
      hasGit: true,
      files: 4,
      more: false,
    });
  });

  it("nexo by two of its stores", async () => {
    await bench.write({ "nexo/x": "" });
    for (const name of ["long_term", "vector"]) database(bench.path("nexo", `${name}.sqlite`), "CREATE TABLE t (a)");
    expect((await detectMemory(bench.path("nexo"))).preset).toBe("nexo");
  });

  it("LangGraph by its tables, also while they are in the log beside the file only", async () => {
    await bench.write({ "graph/x": "" });
    const db = new Database(bench.path("graph/checkpoints.db"));
    db.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
    db.exec("CREATE TABLE checkpoints (thread_id TEXT, checkpoint_ns TEXT NOT NULL DEFAULT '')");
    expect((await detectMemory(bench.path("graph"))).preset).toBe("langgraph-sqlite");
    db.close();
  });

  it("MCP's memory by its file, Claude Code by its folder", async () => {
    await bench.write({ "mcp/memory.jsonl": "{}\n", "home2/.claude/projects/x.md": "" });
    expect((await detectMemory(bench.path("mcp"))).preset).toBe("mcp-memory");
    expect((await detectMemory(bench.path("home2"))).preset).toBe("claude-code");
  });
});

describe("the template", () => {
  const detection = {
    preset: "directory",
    reason: "r",
    databases: ["a\nb.db"],
    hasGit: false,
    files: 1,
    more: false,
  } as const;
  const facts = { agent: "ana", memory: "./a: b\n${HOME} # c", detection, insideMemory: false };

  it("is YAML whatever the names are, and names every key", () => {
    const text = configTemplate(facts);
    expect(parse(text)).toEqual({
      version: 1,
      agents: { ana: { memory: "./a: b\n$${HOME} # c" } },
      preset: "directory",
    });
    for (const key of KEYS) expect(text).toMatch(new RegExp(`^(# )?${key}:`, "m"));
  });

  it("keeps the state out of the memory", () => {
    expect(configTemplate(facts)).toContain("# state_root: ./state");
    expect(parse(configTemplate({ ...facts, insideMemory: true }))).toMatchObject({
      state_root: "${XDG_DATA_HOME:-~/.local/share}/keepsake",
    });
  });

  it("names the agent after the directory", () => {
    expect(agentNameOf("/srv/Ana Müller's notes")).toBe("ana-mu-ller-s-notes");
    expect(agentNameOf("/")).toBe("agent");
    expect(agentNameOf("/x/CON")).toBe("agent");
    expect(agentNameOf(`/x/${"a".repeat(63)}-b`)).toBe("a".repeat(63));
  });
});

describe("keepsake init", () => {
  it("writes a configuration that config check accepts, with every commented key in force too", async () => {
    await makeMemory(bench, "one/ana");
    const cwd = bench.path("one");
    const ran = await bench.run(["init", "--memory", "ana", "--json"], { cwd });
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.json()).toEqual({
      config: bench.path("one/keepsake.config.yaml"),
      agent: "ana",
      memory: bench.path("one/ana"),
      preset: "directory",
      databases: ["facts.db"],
      git: false,
    });
    const check = await bench.run(["config", "check", "--json"], { cwd });
    expect(check).toMatchObject({ code: 0, stderr: "" });
    expect(check.json()).toMatchObject({ ok: true, file: bench.path("one/keepsake.config.yaml") });

    const text = await readFile(bench.path("one/keepsake.config.yaml"), "utf8");
    const all = text.replace(/^# ((?:[a-z_]+:| {2}- | {2}primary:).*)$/gm, "$1").replace(/^# ( {2}"\*":)/gm, "$1");
    expect(Object.keys(parse(all) as object).sort()).toEqual([...KEYS].sort());
    await bench.write({ "one/all.yaml": all });
    const checkedAll = await bench.run(["config", "check", "--config", "all.yaml"], { cwd });
    expect(checkedAll.stderr).toBe("");
    expect(checkedAll.code).toBe(0);
  });

  it("never overwrites, and wants a directory", async () => {
    await bench.write({ "two/keepsake.config.yaml": "mine" });
    const again = await bench.run(["init", "--json"], { cwd: bench.path("two") });
    expect(again.code).toBe(10);
    expect(again.error().code).toBe("E_ALREADY_EXISTS");
    expect(await readFile(bench.path("two/keepsake.config.yaml"), "utf8")).toBe("mine");
    expect((await bench.run(["init", "--memory", "nowhere"])).code).toBe(10);
    expect((await bench.run(["init", "--memory", "two/keepsake.config.yaml"])).code).toBe(2);
    expect((await bench.run(["init", "--memory", "two", "--agent", "No Good"])).code).toBe(2);
  });

  it("inside the memory itself puts the state elsewhere", async () => {
    await makeMemory(bench, "three");
    const cwd = bench.path("three");
    expect((await bench.run(["init"], { cwd })).code).toBe(0);
    const check = await bench.run(["config", "check", "--json"], { cwd });
    expect(check.json()).toMatchObject({ ok: true, state_root: bench.path("data/keepsake") });
  });
});

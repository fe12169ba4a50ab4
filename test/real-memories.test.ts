import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { treeDigest } from "@keepsake/testkit";
import Database from "better-sqlite3";
import * as sqliteVec from "sqlite-vec";
import { describe, expect, it } from "vitest";
import { git } from "./support/agent-memory.js";
import { keepsakeCase } from "./support/keepsake-case.js";
import { memoryState } from "./support/memory-state.js";
import { RunningProgram } from "./support/running-program.js";

const agent = "ana";

describe("a LangGraph SqliteSaver", () => {
  it("that goes on writing is captured at one checkpoint, and reads that one after the restore", async () => {
    await using box = await keepsakeCase({ preset: "langgraph-sqlite" });
    const { memory, keepsake } = box;
    const file = join(memory, "checkpoints.sqlite");
    await using program = RunningProgram.node("langgraph-agent.mjs", file);
    await program.told(20);
    const before = Number(program.last);
    const { record, manifest } = await keepsake.snapshot({ agent });
    const after = Number(program.last);
    await program.told(program.lines.length + 20);
    await program.kill();
    expect(record.complete).toBe(true);
    expect(manifest?.cut?.consistency).toBe("instant");

    await keepsake.restore({ agent, ref: record.id });
    const saver = SqliteSaver.fromConnString(file);
    const config = { configurable: { thread_id: "ana", checkpoint_ns: "" } };
    const tuple = await saver.getTuple(config);
    const step = Number(tuple?.metadata?.step);
    expect(step).toBeGreaterThanOrEqual(before);
    expect(step).toBeLessThanOrEqual(after + 1);
    expect(tuple?.checkpoint.channel_values).toEqual({ messages: [`step ${String(step)}`], step });
    const history: number[] = [];
    for await (const { metadata } of saver.list(config)) history.push(Number(metadata?.step));
    expect(history.sort((a, b) => a - b)).toEqual(Array.from({ length: step }, (_, index) => index + 1));
    saver.db.close();
  });
});

describe("the memory server of the Model Context Protocol", () => {
  const server = join(createRequire(import.meta.url).resolve("@modelcontextprotocol/server-memory/dist/index.js"));

  /** Runs the real server over a file, talks to it, and ends it. */
  async function withServer<T>(file: string, talk: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ name: "keepsake-test", version: "1.0.0" });
    const env = { PATH: process.env["PATH"] ?? "", MEMORY_FILE_PATH: file };
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args: [server], env, stderr: "ignore" }),
    );
    try {
      return await talk(client);
    } finally {
      await client.close();
    }
  }

  const readGraph = async (client: Client): Promise<unknown> =>
    (await client.callTool({ name: "read_graph", arguments: {} })).structuredContent;
  const entity = (name: string) => ({ name, entityType: "person", observations: [`met ${name}`, "likes tea"] });

  it("reads its old graph again, from a file without a last newline", async () => {
    await using box = await keepsakeCase({ preset: "mcp-memory" });
    const { memory, keepsake } = box;
    const file = join(memory, "memory.jsonl");
    const before = await withServer(file, async (client) => {
      await client.callTool({ name: "create_entities", arguments: { entities: [entity("Bo"), entity("Cy")] } });
      const relations = [{ from: "Bo", to: "Cy", relationType: "knows" }];
      await client.callTool({ name: "create_relations", arguments: { relations } });
      return readGraph(client);
    });
    expect(before).toMatchObject({
      entities: [{ name: "Bo" }, { name: "Cy" }],
      relations: [{ relationType: "knows" }],
    });
    const bytes = await readFile(file);
    expect(bytes.at(-1)).not.toBe(0x0a);
    await keepsake.snapshot({ agent });
    await withServer(file, async (client) => {
      await client.callTool({ name: "delete_entities", arguments: { entityNames: ["Bo"] } });
      await client.callTool({ name: "create_entities", arguments: { entities: [entity("Di")] } });
      expect(await readGraph(client)).not.toEqual(before);
      // The server stays: it reads its file anew for every question.
      await keepsake.restore({ agent, ref: "latest" });
      expect(await readGraph(client)).toEqual(before);
    });
    expect(await readFile(file)).toEqual(bytes);
  });
});

describe("a database with full-text and vector tables", () => {
  it("is captured and restored without the extension, and answers with it as before", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    const file = join(memory, "vectors.db");
    const database = new Database(file);
    sqliteVec.load(database);
    database.pragma("journal_mode = WAL");
    database.exec(`
      CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, body TEXT);
      CREATE VIRTUAL TABLE own USING fts5(title, body, tokenize = 'porter');
      CREATE VIRTUAL TABLE outer_fts USING fts5(title, body, content = 'notes', content_rowid = 'id');
      CREATE VIRTUAL TABLE near USING vec0(embedding float[8], topic TEXT);
    `);
    const insert = {
      notes: database.prepare("INSERT INTO notes VALUES (?, ?, ?)"),
      own: database.prepare("INSERT INTO own (rowid, title, body) VALUES (?, ?, ?)"),
      outer: database.prepare("INSERT INTO outer_fts (rowid, title, body) VALUES (?, ?, ?)"),
      near: database.prepare("INSERT INTO near (rowid, embedding, topic) VALUES (?, ?, ?)"),
    };
    for (let id = 1; id <= 200; id++) {
      const words = [id, `title ${String(id)}`, `running ${"tea coffee milk".split(" ")[id % 3] ?? ""} ${String(id)}`];
      insert.notes.run(words);
      insert.own.run(words);
      insert.outer.run(words);
      const vector = Float32Array.from({ length: 8 }, (_, axis) => Math.sin(id * (axis + 1)));
      insert.near.run(BigInt(id), Buffer.from(vector.buffer), `topic ${String(id % 5)}`);
    }
    const ask = (connection: Database.Database): unknown => {
      const probe = Buffer.from(Float32Array.from({ length: 8 }, (_, axis) => Math.sin(77.1 * (axis + 1))).buffer);
      return {
        own: connection
          .prepare("SELECT rowid, highlight(own, 1, '[', ']') FROM own WHERE own MATCH 'run AND tea'")
          .all(),
        outer: connection
          .prepare("SELECT rowid, title FROM outer_fts WHERE outer_fts MATCH 'coffee' ORDER BY rank")
          .all(),
        near: connection
          .prepare("SELECT rowid, distance, topic FROM near WHERE embedding MATCH ? ORDER BY distance LIMIT 7")
          .all(probe),
      };
    };
    const before = ask(database);
    const { record } = await keepsake.snapshot({ agent });
    expect(record.complete).toBe(true);
    database.exec("DELETE FROM near; DELETE FROM own; DROP TABLE outer_fts; DELETE FROM notes");
    database.close();

    await keepsake.restore({ agent, ref: record.id });
    const restored = new Database(file);
    expect(() => restored.prepare("SELECT * FROM near").all(), "the extension is not loaded").toThrow(/vec0/);
    sqliteVec.load(restored);
    expect(ask(restored)).toEqual(before);
    expect(restored.pragma("integrity_check", { simple: true })).toBe("ok");
    restored.exec(
      "INSERT INTO outer_fts(outer_fts) VALUES ('integrity-check'); INSERT INTO own(own) VALUES ('integrity-check')",
    );
    restored.close();
  });
});

describe("a repository of notes with 300 commits, collected by git gc", () => {
  it("comes back with the same HEAD, refs and log, and git finds nothing wrong", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    await git(memory, "init", "-q", "-b", "main");
    for (let index = 0; index < 300; index++) {
      await mkdir(join(memory, `week-${String(index % 20)}`), { recursive: true });
      await writeFile(
        join(memory, `week-${String(index % 20)}`, "notes.md"),
        `day ${String(index)}\n`.repeat(1 + (index % 9)),
      );
      await git(memory, "add", "-A");
      await git(memory, "commit", "-q", "-m", `day ${String(index)}`);
      if (index === 100) await git(memory, "tag", "-a", "v1", "-m", "first hundred");
      if (index === 200) await git(memory, "branch", "side");
    }
    await git(memory, "gc", "-q", "--prune=now");
    await git(memory, "stash", "list");
    await writeFile(join(memory, "week-1", "notes.md"), "not committed");
    const before = await memoryState(memory);
    const { record, manifest } = await keepsake.snapshot({ agent });
    expect(manifest?.git).toMatchObject({ headSubject: "day 299", headOid: await git(memory, "rev-parse", "HEAD") });

    await rm(join(memory, ".git", "objects"), { recursive: true });
    await rm(join(memory, ".git", "packed-refs"));
    await keepsake.restore({ agent, ref: record.id });
    expect(await memoryState(memory)).toEqual(before);
    expect(await git(memory, "fsck", "--full", "--strict")).toBe("");
    expect(await git(memory, "rev-list", "--count", "--all")).toBe("300");
    await git(memory, "commit", "-q", "-am", "and on");
  }, 120_000);
});

describe("a memory of 10,000 files", () => {
  it("comes back to the last file", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    for (let folder = 0; folder < 100; folder++) {
      await mkdir(join(memory, `f${String(folder)}`));
      const files = Array.from({ length: 100 }, (_, index) =>
        join(memory, `f${String(folder)}`, `n${String(index)}.md`),
      );
      await Promise.all(files.map((file) => writeFile(file, `# ${file}\n`)));
    }
    const before = await treeDigest(memory);
    const { record } = await keepsake.snapshot({ agent });
    expect(record.artifactCount).toBe(10_100);
    for (let folder = 0; folder < 50; folder++) await rm(join(memory, `f${String(folder)}`), { recursive: true });
    await writeFile(join(memory, "f99", "n99.md"), "changed");
    await writeFile(join(memory, "f99", "new.md"), "new");
    const report = await keepsake.restore({ agent, ref: record.id });
    // 5,050 come back, one file is replaced, one goes, and the time of its folder is set.
    expect(report.plan).toHaveLength(5_053);
    expect(await treeDigest(memory)).toEqual(before);
  }, 180_000);
});

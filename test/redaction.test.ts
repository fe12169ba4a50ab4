import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";
import { treeDigest, writeTree } from "@keepsake/testkit";
import Database from "better-sqlite3";
import * as sqliteVec from "sqlite-vec";
import { beforeAll, describe, expect, it } from "vitest";
import { git } from "./support/agent-memory.js";
import { CliCase, expectRefused } from "./support/cli-case.js";
import { execute } from "./support/execute.js";
import { randomText } from "./support/random-text.js";
import { runCli } from "./support/run-cli.js";
import { havePrograms } from "./support/programs.js";
import { secretsFound } from "./support/stranger.js";
import { storedFiles, unpackByPrograms } from "./support/unpack-by-programs.js";

/** Secrets that were made, to be looked for. */
class Secrets {
  readonly made: string[] = [];

  #of(secret: string): string {
    this.made.push(secret);
    return secret;
  }

  token = (): string => this.#of(`ghp_${randomText(36)}`);
  anthropic = (): string => this.#of(`sk-ant-api03-${randomText(93)}AA`);
  /** told by its name alone */
  plain = (): string => this.#of(randomText(32));
}

const runnable = havePrograms("zstd", "tar", "git", "age");

/** Unpacks the bundle of a record with the programs, and looks for the secrets. */
async function leftIn(box: CliCase, bundlePath: string, secrets: Secrets): Promise<readonly string[]> {
  const { bundle } = storedFiles(box.root, bundlePath);
  return secretsFound(await unpackByPrograms(bundle, box.temp.join(`out-${randomText(8)}`)), secrets.made);
}

async function takeOf(box: CliCase, ...args: readonly string[]): Promise<{ id: string; bundle_path: string }> {
  const run = await box.runLive("snapshot", args);
  expect(run, run.stderr).toMatchObject({ code: 0 });
  return JSON.parse(run.stdout) as { id: string; bundle_path: string };
}

describe.runIf(runnable)("a memory with secrets in every place", () => {
  const secrets = new Secrets();
  let box: CliCase;

  beforeAll(async () => {
    box = await CliCase.make();
    await makeMemory(box.memory, secrets);
    return () => box[Symbol.asyncDispose]();
  }, 120_000);

  it("gives a bundle in which a stranger finds none of them, and stays as it is itself", async () => {
    const before = await treeDigest(box.memory);
    // What would be shipped without a redaction shows them all.
    const naive = await takeOf(box, "--no-redact");
    expect((await leftIn(box, naive.bundle_path, secrets)).length).toBe(secrets.made.length);
    const label = secrets.token();
    const taken = await takeOf(box, "--redact", "--label", `with ${label}`);
    expect(await leftIn(box, taken.bundle_path, secrets)).toEqual([]);
    const { made } = secrets;
    const told = [await box.run("show", ["latest"]), await box.run("list"), await box.run("verify", ["latest"])];
    for (const { stdout, stderr, code } of told) {
      expect(code).toBe(0);
      expect(made.filter((secret) => (stdout + stderr).includes(secret.slice(14)))).toEqual([]);
    }
    const record = await readFile(`${box.root}/${taken.bundle_path.replace(/\.tar.*$/, ".json")}`, "utf8");
    expect(made.filter((secret) => record.includes(secret.slice(14)))).toEqual([]);
    expect(await treeDigest(box.memory)).toEqual(before);
  });

  it("says in the manifest how many of each rule were where, and what was not looked through", async () => {
    const shown = await box.run("show", ["latest"]);
    const { redactions } = JSON.parse(shown.stdout) as {
      redactions: {
        findings: { artifact: string; rule: string; count: number }[];
        unscanned: object[];
        matches_redacted: number;
        history: object[];
      };
    };
    const { findings, unscanned } = redactions;
    expect(findings).toContainEqual({
      artifact: "manifest.json",
      rule: "github_token",
      count: expect.any(Number) as number,
    });
    expect(findings).toContainEqual({
      artifact: "sqlite/facts.db",
      rule: "github_token",
      count: expect.any(Number) as number,
    });
    expect(findings.reduce((sum, { count }) => sum + count, 0)).toBe(redactions.matches_redacted);
    expect(unscanned).toContainEqual({ path: "memory_files/picture.png", reason: "binary" });
    expect(redactions.history).toEqual([{ source: "git", outcome: "rewritten" }]);
  });

  it("is restored elsewhere as a memory that works: databases sound, history whole, links leading to what they led to", async () => {
    const there = box.temp.join("elsewhere");
    await mkdir(there);
    const run = await box.run("restore", ["latest", "--memory", there, "--yes"]);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(await git(there, "fsck", "--full", "--strict")).toBe("");
    expect(await git(there, "status", "--porcelain")).toBe("");
    expect(await git(there, "rev-list", "--count", "HEAD")).toBe("300");
    expect(await readFile(join(there, "link"), "utf8")).toBe("found");
    const facts = new Database(join(there, "facts.db"), { readonly: true });
    expect(facts.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(facts.prepare("SELECT count(*) FROM found WHERE found MATCH 'token'").pluck().get()).toBe(40);
    facts.close();
    const saver = SqliteSaver.fromConnString(join(there, "checkpoints.sqlite"));
    const tuple = await saver.getTuple({ configurable: { thread_id: "ana", checkpoint_ns: "" } });
    expect(tuple?.checkpoint.channel_values).toEqual({ messages: ["my [REDACTED:anthropic_key]"] });
    saver.db.close();
  });

  it("goes over live memory only when that is accepted", async () => {
    expectRefused(await box.runLive("restore", ["latest", "--yes"]), 5, "E_REDACTED_BUNDLE");
  });

  it("is scanned: places, rules and no secret; exit code 3", async () => {
    const live = await box.runLive("scan");
    expect(live, live.stderr).toMatchObject({ code: 3 });
    const { findings } = JSON.parse(live.stdout) as { findings: Readonly<Record<string, unknown>>[] };
    expect(findings).toContainEqual(
      expect.objectContaining({ artifact: "memory_files/notes.md", line: 3, rule: "github_token" }),
    );
    expect(findings).toContainEqual(
      expect.objectContaining({ artifact: "sqlite/facts.db", column: "fact.text", row: "7" }),
    );
    expect(findings.some(({ artifact }) => String(artifact).startsWith("git/"))).toBe(true);
    expect(secrets.made.filter((secret) => live.stdout.includes(secret.slice(4, 16)))).toEqual([]);
    const commits = new Set(findings.flatMap(({ commit }) => (typeof commit === "string" ? [commit] : [])));
    const all = (await git(box.memory, "rev-list", "--all", "--reflog")).split("\n");
    expect(commits.size).toBeGreaterThan(1);
    expect([...commits].filter((commit) => !all.includes(commit))).toEqual([]);
    // Of the redacted snapshot nothing is found any more.
    const clean = await box.run("scan", ["latest"]);
    expect(clean, clean.stdout).toMatchObject({ code: 0 });
  });

  it("is exported redacted from an encrypted bundle, re-encrypted to somebody else", async () => {
    const [mine, yours] = ["mine", "yours"].map((name) => box.temp.join(name));
    const keys: { readonly recipient: string }[] = [];
    for (const file of [mine ?? "", yours ?? ""]) {
      const made = await runPlain(box, ["keygen", "--output", file]);
      keys.push(JSON.parse(made.stdout) as { recipient: string });
    }
    await takeOf(box, "--no-redact", "--encrypt", keys[0]?.recipient ?? "");
    const to = box.temp.join("shared.tar.zst.age");
    const args = ["latest", "--to", to, "--redact", "--identity", mine ?? "", "--encrypt", keys[1]?.recipient ?? ""];
    const run = await box.run("export", args);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({ redactions: { policy: "default" } });
    expect(secretsFound(await unpackByPrograms(to, box.temp.join("shared"), yours), secrets.made)).toEqual([]);
    await expect(unpackByPrograms(to, box.temp.join("not-mine"), mine)).rejects.toThrow();
  });
});

describe.runIf(runnable)("names in a history", () => {
  it("hold no secret, whatever it is joined to: of files that are long gone, of branches and tags", async () => {
    await using box = await CliCase.make();
    const secrets = new Secrets();
    const names = ["t_", "notes-", "a.b.", "x~"].map((before) => `${before}${secrets.token()}.md`);
    await writeTree(box.memory, Object.fromEntries(names.map((name) => [name, "named\n"])));
    await git(box.memory, "init", "-q", "-b", "main");
    await git(box.memory, "add", "-A");
    await git(box.memory, "commit", "-q", "-m", "named");
    await git(box.memory, "rm", "-q", "-r", ".");
    await writeTree(box.memory, { "a.md": "nothing\n" });
    await git(box.memory, "add", "-A");
    await git(box.memory, "commit", "-q", "-m", "gone");
    await git(box.memory, "branch", `wip_${secrets.token()}`);
    await git(box.memory, "tag", `v1_${secrets.token()}`);
    await git(box.memory, "pack-refs", "--all");
    const naive = await takeOf(box, "--no-redact");
    expect((await leftIn(box, naive.bundle_path, secrets)).length).toBe(secrets.made.length);
    const { bundle_path } = await takeOf(box, "--redact");
    expect(await leftIn(box, bundle_path, secrets)).toEqual([]);
  });
});

describe.runIf(runnable)("a history that is left out", () => {
  it("leaves the live repositories as they are, and is none in an empty place", async () => {
    await using box = await CliCase.make();
    const secrets = new Secrets();
    await writeTree(box.memory, { "a.md": "one\n", "sub/b.md": "two\n" });
    for (const repository of [join(box.memory, "sub"), box.memory]) {
      await git(repository, "init", "-q", "-b", "main");
      await git(repository, "add", "-A");
      await git(repository, "commit", "-q", "-m", `with ${secrets.token()}`);
    }
    const config = box.temp.join("keepsake.yaml");
    const sources = "sources: [{ use: git, history: omit }, { use: memdir }]\n";
    await writeFile(config, `${sources}agents: { ana: { memory: ${box.memory} } }\n`);
    const { id, bundle_path } = await takeOf(box, "--config", config);
    expect(await leftIn(box, bundle_path, secrets)).toEqual([]);
    const heads = async (): Promise<string[]> =>
      Promise.all(["sub", "."].map((folder) => git(join(box.memory, folder), "log", "--all", "--format=%H %s")));
    const before = await heads();
    await writeFile(join(box.memory, "a.md"), "dreamt\n");
    const over = ["--config", config, "--accept-redacted", "--yes"];
    expect(await box.run("restore", [id, ...over])).toMatchObject({ code: 0 });
    expect(await readFile(join(box.memory, "a.md"), "utf8")).toBe("one\n");
    expect(await heads()).toEqual(before);
    const empty = box.temp.join("empty");
    const elsewhere = await box.run("restore", [id, ...over, "--memory", empty]);
    expect(elsewhere, elsewhere.stderr).toMatchObject({ code: 0 });
    expect(Object.keys(await treeDigest(empty)).sort()).toEqual(["a.md", "sub", "sub/b.md"]);
  });
});

describe.runIf(runnable)("what a redaction refuses", () => {
  it("is a known secret in a file that cannot be rewritten; nothing is published, and the secret is not told", async () => {
    await using box = await CliCase.make();
    const secrets = new Secrets();
    const token = secrets.token();
    await writeTree(box.memory, { "a.md": `use ${token}`, "cache.bin": Buffer.from(`\0\u0001${token}\0`) });
    const run = await box.runLive("snapshot", ["--redact"]);
    const { context } = expectRefused(run, 4, "E_REDACTION_RESIDUE");
    expect(context).toEqual({ artifact: "memory_files/cache.bin", rule: "github_token" });
    expect(run.stderr).not.toContain(token.slice(4, 16));
    expect(JSON.parse((await box.run("list")).stdout)).toEqual({ snapshots: [] });
  });

  it("is what cannot be looked through, when only a clean result will do", async () => {
    await using box = await CliCase.make();
    await writeTree(box.memory, { "a.md": "tea", "a.png": Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1]) });
    expectRefused(await box.runLive("snapshot", ["--require-clean"]), 5, "E_REDACTION_UNSCANNED");
    await box.snapshot();
    const to = box.temp.join("out.tar.zst");
    expectRefused(
      await box.run("export", ["latest", "--to", to, "--redact", "--require-clean"]),
      5,
      "E_REDACTION_UNSCANNED",
    );
  });

  it("is what a policy blocks; what another warns of is told of and stays", async () => {
    await using box = await CliCase.make();
    const token = new Secrets().token();
    const mail = "ana.berg@example.org";
    await writeTree(box.memory, { "a.md": `write to ${mail}\n` });
    const config = box.temp.join("keepsake.yaml");
    await writeFile(
      config,
      `redaction: { mode: block, policies: [default, { use: personal, mode: warn }] }\nagents: { ana: { memory: ${box.memory} } }\n`,
    );
    const warned = await box.run("snapshot", ["--config", config]);
    expect(warned, warned.stderr).toMatchObject({ code: 0 });
    const { redactions } = JSON.parse((await box.run("show", ["latest"])).stdout) as {
      redactions: { warnings: object[]; matches_redacted: number };
    };
    expect(redactions).toMatchObject({
      matches_redacted: 0,
      warnings: [{ artifact: "memory_files/a.md", rule: "email", count: 1 }],
    });
    await writeFile(join(box.memory, "b.md"), token);
    const { context } = expectRefused(await box.run("snapshot", ["--config", config]), 5, "E_REDACTION_BLOCKED");
    expect(context).toEqual({ findings: [{ artifact: "memory_files/b.md", rule: "github_token", count: 1 }] });
  });
});

describe("the rules", () => {
  it("are listed, and tried on a text", async () => {
    await using box = await CliCase.make();
    const run = (...args: readonly string[]) => runPlain(box, args);
    const listed = JSON.parse((await run("rules", "list")).stdout) as { policies: { id: string; rules: string[] }[] };
    expect(listed.policies).toMatchObject([{ id: "default", mode: "redact" }]);
    expect(listed.policies[0]?.rules.length).toBeGreaterThan(100);
    const token = new Secrets().token();
    const text = box.temp.join("t.txt");
    await writeFile(text, `one\n${token}\n`);
    const tried = await run("rules", "test", text);
    expect(tried.code).toBe(3);
    expect(JSON.parse(tried.stdout)).toMatchObject({ findings: [{ rule: "github_token", line: 2 }] });
    expect(tried.stdout).not.toContain(token.slice(4, 16));
    await writeFile(text, "tea");
    expect((await run("rules", "test", text)).code).toBe(0);
    expect((await run("scan", box.memory)).code).toBe(0);
  });
});

async function runPlain(box: CliCase, args: readonly string[]) {
  return runCli([...args, "--json", "--root", box.root], { cwd: box.temp.path });
}

/** Notes, a link, a picture, a history of 300 commits, LangGraph's database, and one with full-text and vector tables. */
async function makeMemory(memory: string, secrets: Secrets): Promise<void> {
  const { token, anthropic, plain } = secrets;
  const [bare, old] = [plain(), plain()];
  const inName = token();
  await writeTree(memory, {
    "notes.md": `# Notes\n\nthe key ${token()}\nAPI_KEY=${bare}\n`,
    "diary.md": `Used ${bare} today, and it worked; before that ${old}.\n`,
    [`key-${inName}.txt`]: "found",
    "wide.txt": Buffer.from(`\ufeffone ${token()} two`, "utf16le"),
    "memory.jsonl": `{"type":"entity","name":"Bo","observations":["token \\u0067hp_${token().slice(4)}"]}\n`,
    "picture.png": Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0]), randomBytes(64)]),
    link: { link: `key-${inName}.txt` },
    ".gitignore": "*.db\n*.sqlite\n",
  });
  await makeHistory(memory, secrets, old);
  const db = new Database(join(memory, "facts.db"));
  sqliteVec.load(db);
  db.exec(`CREATE TABLE fact (id INTEGER PRIMARY KEY, text TEXT);
    CREATE VIRTUAL TABLE found USING fts5(text, content='fact', content_rowid='id');
    CREATE VIRTUAL TABLE own USING fts5(text, prefix='4 8 12');
    CREATE VIRTUAL TABLE near USING vec0(e float[4], note TEXT, +more TEXT)`);
  for (let id = 1; id <= 40; id++) {
    const text = `the token ${token()} of ${String(id)}`;
    db.prepare("INSERT INTO fact VALUES (?, ?)").run(id, text);
    db.prepare("INSERT INTO own (text) VALUES (?)").run(text);
    db.prepare("INSERT INTO near (e, note, more) VALUES (?, ?, ?)").run(
      Buffer.from(new Float32Array([1, 2, 3, id]).buffer),
      token(),
      token(),
    );
  }
  db.exec("INSERT INTO found (found) VALUES ('rebuild'); DELETE FROM own WHERE rowid > 30");
  db.close();
  const saver = SqliteSaver.fromConnString(join(memory, "checkpoints.sqlite"));
  await saver.put(
    { configurable: { thread_id: "ana", checkpoint_ns: "" } },
    {
      v: 1,
      id: "1ef4f797-8335-6428-8001-8a1503f9b875",
      ts: "2026-01-01T00:00:00Z",
      channel_values: { messages: [`my ${anthropic()}`] },
      channel_versions: {},
      versions_seen: {},
    },
    { source: "loop", step: 1, parents: {} },
  );
  saver.db.close();
}

/** 300 commits, a secret in every tenth: in a note that is overwritten later, and in a message. */
async function makeHistory(memory: string, secrets: Secrets, old: string): Promise<void> {
  await git(memory, "init", "-q", "-b", "main");
  const commits: string[] = [];
  for (let number = 1; number < 300; number++) {
    const isTold = number % 10 === 0;
    const message = isTold && number % 20 === 0 ? `Note ${secrets.token()}` : `Note ${String(number)}`;
    const token = isTold ? `key ${secrets.token()}\n` : `line ${String(number)}\n`;
    // Told by its name once, long ago; the diary holds it bare.
    const note = number === 5 ? `API_KEY=${old}\n` : token;
    commits.push(
      `commit refs/heads/main\ncommitter Ana <ana@example.org> ${String(1_700_000_000 + number)} +0000\ndata ${String(message.length)}\n${message}\nM 100644 inline log.md\ndata ${String(note.length)}\n${note}\n`,
    );
  }
  await writeFile(join(memory, "../history"), commits.join(""));
  await execute("bash", [
    "-c",
    'git -C "$1" fast-import --quiet < "$1/../history" && git -C "$1" reset -q',
    "import",
    memory,
  ]);
  await git(memory, "checkout", "-q", "--", "log.md");
  await git(memory, "add", "-A");
  await git(memory, "commit", "-q", "-m", "All of it");
}

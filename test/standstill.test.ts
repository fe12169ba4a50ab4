import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { chmod, mkdir, readFile, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateIdentity } from "@keepsake/age";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { traceOf, tracedPlaces } from "../packages/engine/src/snapshot/known/trace.js";
import { CliCase } from "./support/cli-case.js";
import { runCli } from "./support/run-cli.js";

let at: CliCase;
let config: string;

const NOTE = "topics/ana.md";
const STORE = "memories.sqlite";
const SOURCES = [{ use: "git" }, { use: "sqlite" }, { use: "memdir" }];

beforeEach(async () => {
  at = await CliCase.make();
  config = at.temp.join("keepsake.json");
  await configure({});
  await mkdir(join(at.memory, "topics"));
  await writeFile(join(at.memory, NOTE), "ana likes tea\n");
  // To the whole second: another time could not be put back exactly.
  await utimes(join(at.memory, NOTE), 1e9, 1e9);
  await writeFile(join(at.memory, "key.md"), "token ghp_0123456789abcdefghijABCDEFGHIJ0123456\n");
  const database = new Database(join(at.memory, STORE));
  database.pragma("journal_mode = WAL");
  database.exec("CREATE TABLE memory (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO memory (text) VALUES ('one')");
  database.close();
  git("init", "-q");
  git("add", "topics");
  git("commit", "-qm", "one");
  await grownOld();
});

afterEach(async () => at[Symbol.asyncDispose]());

function git(...args: readonly string[]): void {
  const who = ["-c", "user.name=ana", "-c", "user.email=ana@example.org"];
  execFileSync("git", ["-C", at.memory, ...who, ...args], { stdio: "ignore" });
}

async function configure(more: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFile(config, JSON.stringify({ version: 1, redaction: { default: false }, ...more }));
}

/** Of what was changed just now nothing is believed. */
async function grownOld(): Promise<void> {
  const from = Date.now();
  await expect.poll(() => Date.now()).toBeGreaterThan(from + 50);
}

type Answer = Readonly<Record<string, unknown>> & { readonly id: string; readonly unchanged?: true };

async function snapshot(...args: readonly string[]): Promise<Answer> {
  const run = await at.runLive("snapshot", ["--skip-unchanged", "--config", config, ...args]);
  expect(run, run.stderr).toMatchObject({ code: 0 });
  return JSON.parse(run.stdout) as Answer;
}

/** The same as people see it. */
async function forPeople(): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const args = ["snapshot", "--agent", "ana", "--root", at.root, "--memory", at.memory, "--config", config];
  const run = await runCli([...args, "--skip-unchanged"], { cwd: at.temp.path });
  expect(run, run.stderr).toMatchObject({ code: 0 });
  return run;
}

/** What is noted whenever a memory was captured, and only then. */
function captures(): string {
  const { ino, ctimeNs } = statSync(join(at.root, "last-snapshots/default/ana.json"), { bigint: true });
  return `${String(ino)} ${String(ctimeNs)}`;
}

function trace(): { readonly trace?: string; readonly unread: number } {
  return JSON.parse(readFileSync(join(at.root, "last-traces/default/ana.json"), "utf8")) as ReturnType<typeof trace>;
}

/** The first one, of which it is known how the memory was. */
async function settled(...args: readonly string[]): Promise<Answer> {
  const first = await snapshot(...args);
  expect(first.unchanged).toBeUndefined();
  expect(trace().trace).toMatch(/^[0-9a-f]{64}$/);
  return first;
}

async function expectQuick(first: Answer, ...args: readonly string[]): Promise<void> {
  const before = captures();
  expect(await snapshot(...args)).toMatchObject({ id: first.id, unchanged: true });
  expect(captures(), "the memory was captured").toBe(before);
}

describe("a memory that stands still", () => {
  it("is recognised without being captured", async () => {
    const first = await settled();
    await expectQuick(first);
    expect(trace().unread).toBe(1);
  });

  it("says so to people, with the snapshot that it is as", async () => {
    const { id } = await settled();
    const run = await forPeople();
    expect(run.stdout).toContain(id.slice(0, 8));
    expect(run.stdout).toContain("Nothing has changed since this snapshot, and no other was taken.\n");
  });

  it("is recognised beside an agent that only reads it", async () => {
    const agent = new Database(join(at.memory, STORE));
    try {
      agent.prepare("SELECT * FROM memory").all();
      const first = await settled();
      agent.prepare("SELECT count(*) FROM memory").all();
      await expectQuick(first);
      const another = new Database(join(at.memory, STORE), { readonly: true });
      another.prepare("SELECT * FROM memory").all();
      another.close();
      await expectQuick(first);
    } finally {
      agent.close();
    }
  });

  it("is recognised where the bundle is encrypted, and nothing in it is named beside it", async () => {
    const { recipient } = await generateIdentity();
    const first = await settled("--encrypt", recipient);
    await expectQuick(first, "--encrypt", recipient);
    expect(readFileSync(join(at.root, "last-traces/default/ana.json"), "utf8")).not.toMatch(/topics|memories/);
    const { recipient: other } = await generateIdentity();
    expect((await snapshot("--encrypt", other)).unchanged).toBeUndefined();
  });

  it("is recognised where it is redacted, until the rules are others", async () => {
    const rules = at.temp.join("rules.toml");
    const policy = { use: "gitleaks", file: rules };
    const rule = (word: string) => `[[rules]]\nid = "own"\nregex = '''(${word})'''\nkeywords = ["${word}"]\n`;
    await writeFile(rules, rule("coffee"));
    await configure({ redaction: { default: true, policies: ["default", policy] } });
    const first = await settled();
    await expectQuick(first);
    await writeFile(rules, rule("likes"));
    expect((await snapshot()).unchanged).toBeUndefined();
  });

  it("is captured each time where there is something to warn of, which is told each time", async () => {
    const rules = at.temp.join("rules.toml");
    await writeFile(rules, "[[rules]]\nid = 'own'\nregex = '''(likes)'''\nkeywords = ['likes']\n");
    await configure({ redaction: { default: true, policies: [{ use: "gitleaks", file: rules, mode: "warn" }] } });
    for (const isUnchanged of [false, true, true]) {
      const run = await forPeople();
      expect(run.stderr).toContain("of the rule own, left as they are");
      expect(run.stdout.includes("Nothing has changed")).toBe(isUnchanged);
    }
  });

  it("is looked at in full at every so many, and when that is asked for", async () => {
    await configure({ snapshot: { full_read_every: 3 } });
    await settled();
    const seen: boolean[] = [];
    for (const args of [[], [], [], ["--full"], []]) {
      const before = captures();
      expect((await snapshot(...args)).unchanged).toBe(true);
      seen.push(captures() !== before);
    }
    expect(seen).toEqual([false, false, true, true, false]);
  });

  it("is captured where its last snapshot is gone, or its bundle is", async () => {
    const first = await settled();
    const other = await at.runLive("snapshot", ["--config", config]);
    expect(other).toMatchObject({ code: 0 });
    const before = captures();
    // Not the newest any more.
    expect((await snapshot()).id).not.toBe(first.id);
    expect(captures()).not.toBe(before);
    const last = await snapshot("--label", "last");
    await rm(join(at.root, String(last["bundle_path"])));
    const again = captures();
    await snapshot();
    expect(captures()).not.toBe(again);
  });
});

describe("a memory that does not stand still", () => {
  const changes: Readonly<Record<string, () => Promise<void>>> = {
    "a note of the same size, with its times put back": async () => {
      const file = join(at.memory, NOTE);
      await writeFile(file, "ana likes gin\n");
      await utimes(file, 1e9, 1e9);
    },
    "a note that was replaced by an older file": async () => {
      const other = join(at.temp.path, "other.md");
      await writeFile(other, "ana likes gin\n");
      await utimes(other, 1e9, 1e9);
      await rename(other, join(at.memory, NOTE));
    },
    "a note more": () => writeFile(join(at.memory, "topics/more.md"), "more\n"),
    "a note less": () => rm(join(at.memory, "key.md")),
    "another name": () => rename(join(at.memory, "key.md"), join(at.memory, "keys.md")),
    "a mode": () => chmod(join(at.memory, "key.md"), 0o600),
    "the mode of a folder": () => chmod(join(at.memory, "topics"), 0o700),
    "an empty folder": () => mkdir(join(at.memory, "empty")),
    "a link": () => symlink("topics/ana.md", join(at.memory, "link.md")),
    "a commit": async () => git("commit", "-q", "--allow-empty", "-m", "two"),
    "a branch": async () => git("branch", "side"),
    "a row in a database at rest": async () => {
      const agent = new Database(join(at.memory, STORE));
      agent.exec("INSERT INTO memory (text) VALUES ('two')");
      agent.close();
    },
  };

  it.each(Object.keys(changes))("is captured: %s", async (change) => {
    const first = await settled();
    await changes[change]?.();
    const next = await snapshot();
    expect(next.unchanged).toBeUndefined();
    expect(next.id).not.toBe(first.id);
  });

  it("is captured after a row that is in a database's log alone", async () => {
    const agent = new Database(join(at.memory, STORE));
    try {
      agent.exec("INSERT INTO memory (text) VALUES ('two')");
      await grownOld();
      await settled();
      // In the place of one that is there: the log does not grow.
      agent.pragma("wal_checkpoint(FULL)");
      agent.exec("UPDATE memory SET text = 'tow' WHERE text = 'two'");
      expect((await snapshot()).unchanged).toBeUndefined();
    } finally {
      agent.close();
    }
  });

  it("is captured when a file changes that merely is called like a part of a database", async () => {
    await writeFile(join(at.memory, "key.md-shm"), "one\n");
    await grownOld();
    await settled();
    await writeFile(join(at.memory, "key.md-shm"), "two\n");
    expect((await snapshot()).unchanged).toBeUndefined();
  });

  it("is captured when the configuration says something else of it", async () => {
    await settled();
    await configure({ sources: [{ use: "memdir", exclude: ["topics/**"] }, { use: "sqlite" }, { use: "git" }] });
    expect((await snapshot()).unchanged).toBeUndefined();
  });

  it("is captured when a state value is another one", async () => {
    const state = at.temp.join("cursor.json");
    await writeFile(state, '{"at":1}');
    await configure({ state: [{ use: "json-file", keys: { cursor: state } }] });
    await grownOld();
    await settled();
    await writeFile(state, '{"at":2}');
    expect((await snapshot()).unchanged).toBeUndefined();
  });

  it("is captured when objects change that a repository borrows", async () => {
    const lender = at.temp.join("lender");
    execFileSync("git", ["clone", "-q", "--bare", at.memory, lender]);
    await writeFile(join(at.memory, ".git/objects/info/alternates"), `${join(lender, "objects")}\n`);
    await grownOld();
    await settled();
    await writeFile(join(lender, "objects/info/more"), "x");
    const before = captures();
    await snapshot();
    expect(captures(), "the memory was not captured").not.toBe(before);
  });

  it("is captured when it was written after its moment, while it was still being copied", async () => {
    await configure({ plugins: ["./busy.mjs"], sources: [...SOURCES, { use: "busy" }] });
    await writeFile(at.temp.join("busy.mjs"), busyPlugin("watched: [],"));
    await writeFile(at.temp.join("busy"), "");
    await grownOld();
    const first = await snapshot();
    expect(await readFile(join(at.memory, NOTE), "utf8")).toBe("ana likes tea\nand gin\n");
    expect(trace().trace).toBeUndefined();
    await grownOld();
    await rm(at.temp.join("busy"));
    const next = await snapshot();
    expect(next.unchanged).toBeUndefined();
    expect(next.id).not.toBe(first.id);
    await expectQuick(next);
  });

  it("is captured each time where a source cannot tell what it depends on", async () => {
    await configure({ plugins: ["./busy.mjs"], sources: [...SOURCES, { use: "busy" }] });
    await writeFile(at.temp.join("busy.mjs"), busyPlugin(""));
    const first = await snapshot();
    const before = captures();
    expect(await snapshot()).toMatchObject({ id: first.id, unchanged: true });
    expect(captures()).not.toBe(before);
  });
});

describe("a trace", () => {
  it("is none of what was written within a tick of the clock", async () => {
    const file = join(at.memory, NOTE);
    const places = await tracedPlaces([{ path: at.memory, scope: "tree" }]);
    expect(await traceOf(places, {})).toMatch(/^[0-9a-f]{64}$/);
    const young = async () => {
      writeFileSync(file, "ana likes gin\n");
      return await traceOf(places, {});
    };
    // One is begun in time, however busy the machine is.
    await expect.poll(young, { interval: 1 }).toBeUndefined();
    await grownOld();
    expect(await traceOf(places, {})).toMatch(/^[0-9a-f]{64}$/);
  });

  it("tells a place that is not there from one that is, and follows links to the place itself", async () => {
    const [file, link] = [at.temp.join("outside.md"), at.temp.join("link")];
    await symlink(file, link);
    const places = await tracedPlaces([{ path: link, scope: "path" }]);
    const absent = await traceOf(places, {});
    await writeFile(file, "one");
    await grownOld();
    const there = await traceOf(places, {});
    await writeFile(file, "two");
    await grownOld();
    const changed = await traceOf(places, {});
    expect(new Set([absent, there, changed]).size).toBe(3);
    expect([absent, there, changed]).not.toContain(undefined);
  });

  it("looks once at what lies within another place", async () => {
    const inner = { path: join(at.memory, "topics"), scope: "tree" } as const;
    const places = await tracedPlaces([inner, { path: at.memory, scope: "tree" }, inner]);
    expect(places.roots).toEqual([{ path: at.memory, scope: "tree" }]);
    // Below it by name alone.
    await symlink(at.root, join(at.memory, "away"));
    const away = { path: join(at.memory, "away"), scope: "tree" } as const;
    await mkdir(at.root, { recursive: true });
    expect((await tracedPlaces([away, { path: at.memory, scope: "tree" }])).roots).toHaveLength(2);
  });
});

/** A source without artifacts that writes a note while it is read. */
function busyPlugin(member: string): string {
  return `
import { appendFileSync, existsSync } from "node:fs";
export default {
  name: "busy", api: 1,
  providers: [{
    kind: "source", name: "busy",
    create: () => ({
      id: "busy", kind: "test/busy",
      async open({ paths }) {
        return {
          claims: [], ${member}
          async pin() { return "held"; },
          async *entries() { if (existsSync("${at.temp.join("busy")}")) appendFileSync(paths.memory + "/${NOTE}", "and gin\\n"); },
          async [Symbol.asyncDispose]() {},
        };
      },
    }),
  }],
};
`;
}

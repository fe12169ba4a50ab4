import { execFileSync } from "node:child_process";
import fs, { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { appendFile, chmod, mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { generateIdentity } from "@keepsake/age";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CliCase } from "./support/cli-case.js";

let at: CliCase;

const noteAt = (number: number): string => `topics/topic-${String(number % 7)}/note-${String(number)}.md`;

beforeEach(async () => {
  at = await CliCase.make();
  for (let topic = 0; topic < 7; topic++)
    await mkdir(join(at.memory, `topics/topic-${String(topic)}`), { recursive: true });
  for (let number = 0; number < 120; number++) {
    await write(noteAt(number), `note ${String(number)}\n`.repeat(90));
    // Git touches the objects of what is as young as its index.
    await utimes(join(at.memory, noteAt(number)), 1e9, 1e9);
  }
  await write("log.jsonl", '{"a":1}\n');
  git("init", "-q", "-b", "main");
  for (let commit = 0; commit < 5; commit++) {
    await write(noteAt(commit), `commit ${String(commit)}\n`);
    git("add", "topics");
    git("commit", "-qm", `commit ${String(commit)}`);
  }
  await grownOld();
});

afterEach(async () => at[Symbol.asyncDispose]());

const write = (path: string, text: string): Promise<void> => writeFile(join(at.memory, path), text);

function git(...args: readonly string[]): string {
  const who = ["-c", "user.name=ana", "-c", "user.email=ana@example.org", "-c", "gc.auto=0"];
  return execFileSync("git", ["-C", at.memory, ...who, ...args], { stdio: ["ignore", "pipe", "ignore"] })
    .toString()
    .trim();
}

/** Of what was written just now nothing is believed. */
async function grownOld(): Promise<void> {
  const from = Date.now();
  await expect.poll(() => Date.now()).toBeGreaterThan(from + 50);
}

interface Taken {
  readonly id: string;
  readonly bundle_path: string;
  readonly complete: boolean;
}

async function snapshot(...args: readonly string[]): Promise<Taken> {
  const run = await at.runLive("snapshot", ["--no-redact", ...args]);
  expect([0, 3], run.stderr).toContain(run.code);
  return JSON.parse(run.stdout) as Taken;
}

/** All that the manifest says of what was captured. */
async function shown({ id }: Taken): Promise<Readonly<Record<string, unknown>>> {
  const run = await at.run("show", [id]);
  expect(run, run.stderr).toMatchObject({ code: 0 });
  const { artifacts, sources, omitted, git: head } = JSON.parse(run.stdout) as Readonly<Record<string, unknown>>;
  return { artifacts, sources, omitted, git: head };
}

interface Memo {
  readonly unread: number;
  readonly files: Readonly<Record<string, readonly (readonly [string, string, number, string, number])[]>>;
  readonly segments: readonly {
    readonly start: number;
    readonly frames: readonly { readonly encodedBytes: number }[];
  }[];
}

const memo = (): Memo => JSON.parse(readFileSync(join(at.root, "last-snapshots/default/ana.json"), "utf8")) as Memo;

/** What a snapshot that recognises what it can has is what one that reads everything has. */
async function expectAsFull(): Promise<void> {
  await grownOld();
  const known = await snapshot();
  expect(memo().unread, "everything was read").toBeGreaterThan(0);
  const full = await snapshot("--full");
  expect(await shown(known)).toEqual(await shown(full));
  const verified = await at.run("verify", ["--deep", known.id]);
  expect(verified, verified.stdout).toMatchObject({ code: 0 });
}

/** The paths below the memory that this process opens meanwhile. */
async function opened(work: () => Promise<unknown>): Promise<readonly string[]> {
  const { openSync } = fs;
  const seen: string[] = [];
  const note = (path: fs.PathLike): void => {
    if (String(path).startsWith(`${at.memory}/`)) seen.push(String(path).slice(at.memory.length + 1));
  };
  fs.openSync = (path, ...rest) => {
    note(path);
    return openSync(path, ...rest);
  };
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    fs.openSync = openSync;
    syncBuiltinESMExports();
  }
  return seen.sort();
}

describe("what was captured before", () => {
  it("is not opened again: notes and the objects of a repository", async () => {
    const first = await opened(() => snapshot());
    const isObject = (path: string): boolean => /^\.git\/objects\/[0-9a-f]{2}\//.test(path);
    expect(first).toEqual(expect.arrayContaining([noteAt(7), noteAt(119)]));
    expect(first.filter(isObject).length).toBeGreaterThan(100);
    await write(noteAt(7), "another\n");
    git("commit", "-qam", "one more");
    const fresh = git("rev-parse", "HEAD", "HEAD^{tree}").split("\n");
    await grownOld();
    const next = await opened(() => snapshot());
    expect(next.filter((path) => path.startsWith("topics/"))).toEqual([noteAt(7)]);
    const objects = next.filter(isObject).map((path) => path.slice(".git/objects/".length).replace("/", ""));
    expect(objects).toEqual(expect.arrayContaining(fresh));
    // Of the others some trees were touched: git writes them anew.
    expect(new Set(objects).size).toBeLessThan(20);
  });

  it("is not opened again either where the bundle is encrypted, and its key is at hand", async () => {
    const { identity, recipient } = await generateIdentity();
    await writeFile(at.temp.join("ana.key"), `${identity}\n`, { mode: 0o600 });
    const encryption = { enabled: true, recipients: [recipient], identity_file: at.temp.join("ana.key") };
    const config = at.temp.join("keepsake.json");
    await writeFile(config, JSON.stringify({ version: 1, encryption }));
    await snapshot("--config", config);
    await write(noteAt(7), "another\n");
    await grownOld();
    const next = await opened(() => snapshot("--config", config));
    expect(next.filter((path) => path.startsWith("topics/"))).toEqual([noteAt(7)]);
  });

  it("is taken over so that nobody could tell, whatever was changed", async () => {
    const edits: readonly (() => unknown)[] = [
      () => write(noteAt(3), "changed\n"),
      () => rm(join(at.memory, noteAt(50))),
      () => write("topics/topic-0/between.md", "new\n"),
      () => rename(join(at.memory, noteAt(9)), join(at.memory, "topics/topic-6/moved.md")),
      () => chmod(join(at.memory, noteAt(11)), 0o600),
      () => utimes(join(at.memory, noteAt(12)), 1e9, 1e9),
      () => symlink("topics", join(at.memory, "link")),
      () => appendFile(join(at.memory, "log.jsonl"), '{"a":2}\n{"cut'),
      () => write("topics/large.md", "a line of a large note\n".repeat(20_000)),
      () => write("topics/large.md", "small by now\n"),
      () => rename(join(at.memory, "topics/topic-1"), join(at.memory, "topics/another")),
    ];
    await snapshot();
    for (const edit of edits) {
      await edit();
      await expectAsFull();
    }
  });

  it("is taken over so that nobody could tell, whatever became of the repository", async () => {
    const commit = async (text: string) => {
      await write(noteAt(2), text);
      git("commit", "-qam", text);
    };
    const edits: readonly (() => unknown)[] = [
      () => commit("one more"),
      () => git("branch", "side", "HEAD~2"),
      () => git("reset", "-q", "--hard", "HEAD~3"),
      () => git("tag", "-am", "a tag", "v1"),
      () => git("repack", "-q"),
      () => commit("behind the pack"),
      () => git("gc", "-q", "--prune=now"),
      () => commit("behind the collection"),
      () => git("merge", "-q", "--no-edit", "side"),
      () => git("reflog", "expire", "--expire=now", "--all"),
      () => git("branch", "-D", "side"),
      () => git("update-ref", "-d", "refs/tags/v1"),
    ];
    await snapshot();
    for (const edit of edits) {
      await edit();
      await expectAsFull();
    }
  });

  it("comes out of the bundle for a neighbour that changed; where that is damaged, everything is read again", async () => {
    const first = await snapshot();
    const [, , , , number = -1] = memo().files["memory_files"]?.find(([path]) => path === noteAt(14)) ?? [];
    const { start, frames } = memo().segments[number] ?? { start: 0, frames: [] };
    const length = frames.reduce((sum, { encodedBytes }) => sum + encodedBytes, 0);
    const file = join(at.root, first.bundle_path);
    const bytes = readFileSync(file);
    for (let place = start; place < start + length; place += Math.ceil(length / 8)) bytes[place] = ~(bytes[place] ?? 0);
    writeFileSync(file, bytes);
    await write(noteAt(14), "changed\n");
    await grownOld();
    const next = await snapshot();
    expect(memo().unread).toBe(0);
    expect(await shown(next)).toEqual(await shown(await snapshot("--full")));
  });

  it("is not believed of a note whose digest is another one in the bundle", async () => {
    await snapshot();
    const place = join(at.root, "last-snapshots/default/ana.json");
    const text = readFileSync(place, "utf8");
    const [, , , digest = ""] = memo().files["memory_files"]?.find(([path]) => path === noteAt(21)) ?? [];
    writeFileSync(
      place,
      text.replaceAll(
        digest,
        digest.replace(/./g, (digit) => (digit === "0" ? "1" : "0")),
      ),
    );
    await write(noteAt(14), "changed\n");
    await grownOld();
    const next = await snapshot();
    expect(memo().unread).toBe(0);
    expect(await shown(next)).toEqual(await shown(await snapshot("--full")));
  });
});

describe("a repository that was captured before", () => {
  const objectFile = (oid: string): string => join(at.memory, ".git/objects", oid.slice(0, 2), oid.slice(2));

  /** A note as it was before the last commit: the index does not need it. */
  const inHistory = (): string => git("rev-parse", `HEAD~4:${noteAt(4)}`);

  it.each([
    ["gone", (file: string) => rm(file)],
    [
      "damaged",
      async (file: string) => {
        await chmod(file, 0o644);
        await writeFile(file, "nonsense");
      },
    ],
  ])("is told incomplete when an object is %s that another one leads to", async (_, spoil) => {
    expect((await snapshot()).complete).toBe(true);
    await spoil(objectFile(inHistory()));
    await grownOld();
    const next = await snapshot();
    expect(next.complete).toBe(false);
    expect((await shown(next))["omitted"]).toEqual((await shown(await snapshot("--full")))["omitted"]);
  });

  it("is told incomplete when a ref leads to an object of which nothing was needed before", async () => {
    // Nobody needs the tree, nor what is in it, which is not there.
    const blob = execFileSync("git", ["-C", at.memory, "hash-object", "--stdin"], { input: "nowhere" })
      .toString()
      .trim();
    const entry = `100644 blob ${blob}\tnowhere.md\n`;
    const tree = execFileSync("git", ["-C", at.memory, "mktree", "--missing"], { input: entry }).toString().trim();
    await grownOld();
    expect((await snapshot()).complete).toBe(true);
    git("update-ref", "refs/heads/lost", git("commit-tree", tree, "-m", "lost"));
    await grownOld();
    const next = await snapshot();
    expect(next.complete).toBe(false);
    expect(JSON.stringify((await shown(next))["omitted"])).toContain(blob);
  });

  it("has what it borrows, also when it was known before it did", async () => {
    const lender = at.temp.join("lender");
    execFileSync("git", ["clone", "-q", "--bare", at.memory, lender]);
    await snapshot();
    await write(".git/objects/info/alternates", `${join(lender, "objects")}\n`);
    const lent = inHistory();
    await rm(objectFile(lent));
    await grownOld();
    for (let time = 0; time < 2; time++) {
      const next = await snapshot();
      expect(next.complete).toBe(true);
      const { artifacts } = (await shown(next)) as { artifacts: readonly { readonly path_in_bundle: string }[] };
      expect(artifacts.map(({ path_in_bundle: path }) => path)).toContain(
        `git/objects/${lent.slice(0, 2)}/${lent.slice(2)}`,
      );
    }
  });

  it("is known in its packs, too", async () => {
    git("gc", "-q", "--prune=now");
    await grownOld();
    await snapshot();
    const [pack = ""] = readdirSync(join(at.memory, ".git/objects/pack")).filter((name) => name.endsWith(".pack"));
    expect(memo().files["git"]?.map(([path]) => path)).toContain(`objects/pack/${pack}`);
    await expectAsFull();
  });
});

import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { sha256Hex } from "@keepsake/core";
import { treeDigest, writeTree } from "@keepsake/testkit";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { makeMemory } from "./support/agent-memory.js";
import { attempt, execute } from "./support/execute.js";
import { type KeepsakeCase, keepsakeCase } from "./support/keepsake-case.js";
import { memoryState } from "./support/memory-state.js";
import { havePrograms } from "./support/programs.js";
import { declaredPaths, storedFiles, unpackByPrograms } from "./support/unpack-by-programs.js";

const agent = "ana";
const tools = havePrograms("zstd", "age", "age-keygen", "tar", "sha256sum", "sqlite3", "git");

/** A memory with all three sources in it, one of the databases in a folder, and names that need pax records. */
async function fill({ memory }: KeepsakeCase): Promise<void> {
  (await makeMemory(memory, { commits: 4, rows: 300 })).close();
  (await makeMemory(join(memory, "second"), { rows: 5 })).close();
  const long = `${"a folder with a rather long name/".repeat(5)}${"x".repeat(120)}.md`;
  await writeTree(memory, { [long]: "long", "ü/ß.md": "ümlaut", "big.bin": Buffer.alloc(3 << 20, "keepsake ") });
}

/** A file of an age identity, and its recipient, made by Debian's age-keygen. */
async function ageKey(file: string): Promise<string> {
  await execute("age-keygen", ["-o", file]);
  return (await execute("age-keygen", ["-y", file])).stdout.toString().trim();
}

describe.runIf(tools)("programs that are not ours read a bundle", () => {
  it("zstd, tar, sha256sum, sqlite3 and git find nothing wrong", async () => {
    await using box = await keepsakeCase();
    const { keepsake, stateRoot, temp, memory } = box;
    await fill(box);
    const { record } = await keepsake.snapshot({ agent });
    const { bundle, sha256File } = storedFiles(stateRoot, record.bundlePath);

    await execute("zstd", ["-q", "-t", bundle]);
    const sum = (await readFile(sha256File, "utf8")).trim();
    await execute("bash", ["-c", 'echo "$1  $2" | sha256sum -c --strict', "check", sum, bundle]);
    expect(sum).toBe(record.fileSha256);

    const unpacked = await unpackByPrograms(bundle, temp.join("unpacked"));
    expect(await listedEntries(bundle)).toEqual(await declaredEntries(unpacked));

    await expectSoundDatabases(unpacked, ["long_term.sqlite", "second/long_term.sqlite"]);
    await expectSoundRepository(join(unpacked, "git"), join(memory, ".git"));
    const live = await treeDigest(memory, { mtimes: "none", exclude: isOfOtherSources });
    const notes = await treeDigest(join(unpacked, "memory_files"), { mtimes: "none" });
    expect(notes).toEqual(live);
  });

  it("age opens an encrypted one with either of its two identities, and with no other", async () => {
    await using box = await keepsakeCase();
    const { keepsake, stateRoot, temp, memory } = box;
    await writeTree(memory, { "a.md": "a" });
    const recipients = [await ageKey(temp.join("one.txt")), await ageKey(temp.join("two.txt"))];
    await ageKey(temp.join("other.txt"));
    const { record } = await keepsake.snapshot({ agent, recipients });
    const { bundle } = storedFiles(stateRoot, record.bundlePath);
    for (const name of ["one", "two"]) {
      const unpacked = await unpackByPrograms(bundle, temp.join(`by ${name}`), temp.join(`${name}.txt`));
      expect(await readFile(join(unpacked, "memory_files", "a.md"), "utf8")).toBe("a");
    }
    expect((await attempt("age", ["-d", "-i", temp.join("other.txt"), bundle])).code).not.toBe(0);
  });
});

describe.runIf(tools)("a bundle made by hand", () => {
  const repack =
    'tar "${@:4}" -C "$1" --no-recursion -cf - -T "$2" | zstd -q $LEVEL -o "$3" && cd "$(dirname "$3")" && ' +
    'sha256sum "$(basename "$3")" | cut -d" " -f1 > "$(basename "$3").sha256"';

  it.each([
    ["GNU format, level 1", ["--format=gnu"], "-1"],
    ["pax format with times in nanoseconds, level 19, a long window", ["--format=posix"], "-19 --long=27"],
    ["pax format, sorted owners, multi-threaded", ["--format=posix", "--owner=ana:1000", "--group=ana:1000"], "-3 -T2"],
    ["GNU format, no content size, no checksum", ["--format=gnu"], "-3 --no-check --no-content-size"],
  ])("%s: is verified and restored", async (_name, tarOptions, level) => {
    await using box = await keepsakeCase();
    const { keepsake, stateRoot, temp, memory } = box;
    await fill(box);
    const before = await memoryState(memory);
    const { record } = await keepsake.snapshot({ agent });
    const unpacked = await unpackByPrograms(storedFiles(stateRoot, record.bundlePath).bundle, temp.join("unpacked"));
    await writeFile(temp.join("names"), (await declaredPaths(unpacked)).join("\n"));
    const made = temp.join("made.tar.zst");
    await execute(
      "bash",
      ["-euo", "pipefail", "-c", repack, "repack", unpacked, temp.join("names"), made, ...tarOptions],
      {
        env: { LEVEL: level },
      },
    );

    const report = await keepsake.verify({ bundleFile: made });
    expect(report.checks.filter(({ status }) => status === "failed")).toEqual([]);
    expect(report.ok).toBe(true);
    await rm(memory, { recursive: true });
    await keepsake.restore({ agent, bundleFile: made });
    expect(await memoryState(memory)).toEqual(before);
  });

  it("with an entry for every folder, in the order of tar, encrypted by age: is verified and restored", async () => {
    await using box = await keepsakeCase();
    const { keepsake, stateRoot, temp, memory } = box;
    await fill(box);
    const before = await memoryState(memory);
    const { record } = await keepsake.snapshot({ agent });
    const unpacked = await unpackByPrograms(storedFiles(stateRoot, record.bundlePath).bundle, temp.join("unpacked"));
    const recipient = await ageKey(temp.join("key.txt"));
    const made = temp.join("made.tar.zst.age");
    const others = (await readdir(unpacked)).filter((name) => name !== "manifest.json");
    await execute("bash", [
      "-euo",
      "pipefail",
      "-c",
      'tar -C "$1" -cf - manifest.json "${@:4}" | zstd -q | age -r "$2" > "$3"; sha256sum < "$3" | cut -d" " -f1 > "$3.sha256"',
      "repack",
      unpacked,
      recipient,
      made,
      ...others,
    ]);
    const identityFiles = [temp.join("key.txt")];
    const report = await keepsake.verify({ bundleFile: made, identityFiles });
    expect(report.checks.filter(({ status }) => status === "failed")).toEqual([]);
    expect(report).toMatchObject({ ok: true, ageProtected: true });
    await rm(memory, { recursive: true });
    await keepsake.restore({ agent, bundleFile: made, identityFiles });
    expect(await memoryState(memory)).toEqual(before);
  });
});

describe.runIf(tools)("equal input", () => {
  it("gives equal content digests and equal tar bytes but for the manifest", async () => {
    await using box = await keepsakeCase();
    const { keepsake, stateRoot, temp } = box;
    await fill(box);
    // Opening a quiet database with a log changes the time of its folder; this one has none.
    const database = new Database(box.temp.join("memory", "second", "long_term.sqlite"));
    database.pragma("journal_mode = DELETE");
    database.close();
    const tars: Buffer[] = [];
    const digests = new Set<string>();
    for (const name of ["one", "two"]) {
      const { record } = await keepsake.snapshot({ agent });
      digests.add(record.bundleSha256);
      const { bundle } = storedFiles(stateRoot, record.bundlePath);
      await execute("zstd", ["-q", "-d", bundle, "-o", temp.join(name)]);
      tars.push(withoutFirstEntry(await readFile(temp.join(name))));
    }
    expect(digests.size).toBe(1);
    expect(new Set(tars.map((tar) => sha256Hex(tar))).size).toBe(1);
  });
});

/** The archive after its first entry, which is the manifest: one header block and the content in whole blocks. */
function withoutFirstEntry(tar: Buffer): Buffer {
  const size = Number.parseInt(tar.subarray(124, 135).toString("latin1"), 8);
  return tar.subarray(512 + Math.ceil(size / 512) * 512);
}

function isOfOtherSources(path: string): boolean {
  return path === ".git" || /\.sqlite(-wal|-shm)?$/.test(path);
}

async function expectSoundDatabases(unpacked: string, names: readonly string[]): Promise<void> {
  expect(Object.keys(await treeDigest(join(unpacked, "sqlite"))).filter((path) => path.endsWith(".sqlite"))).toEqual(
    names,
  );
  for (const name of names) {
    const file = join(unpacked, "sqlite", name);
    const siblings = (await readdir(dirname(file))).filter((entry) => entry.startsWith(`${basename(name)}-`));
    expect(siblings, "self-contained").toEqual([]);
    const checked = await execute("sqlite3", [
      file,
      "PRAGMA integrity_check; PRAGMA foreign_key_check; SELECT count(*) > 0 FROM memories",
    ]);
    expect(checked.stdout.toString()).toBe("ok\n1\n");
  }
}

/** What `zstd` and `tar` list of a bundle: type, owner, size and name of each entry, in order. */
async function listedEntries(bundle: string): Promise<readonly string[]> {
  const list = 'zstd -q -dc "$1" | tar -tvf - --numeric-owner --quoting-style=literal';
  const { stdout } = await execute("bash", ["-euo", "pipefail", "-c", list, "list", bundle]);
  const entry = /^(.)\S+ (\S+) +(\d+) \S+ \S+ (.+)$/;
  return stdout
    .toString()
    .trim()
    .split("\n")
    .map((line) => (entry.exec(line)?.slice(1) ?? [line]).join(" "));
}

interface DeclaredArtifact {
  readonly path_in_bundle: string;
  readonly type: "file" | "directory" | "symlink";
  readonly size_bytes: number;
  readonly link_target?: string;
}

/** The same as the manifest tells it, with nobody as the owner. */
async function declaredEntries(unpacked: string): Promise<readonly string[]> {
  const manifest = await readFile(join(unpacked, "manifest.json"));
  const { artifacts } = JSON.parse(manifest.toString()) as { readonly artifacts: readonly DeclaredArtifact[] };
  const rest = artifacts.map(({ path_in_bundle: path, type, size_bytes: size, link_target: target }) => {
    if (type === "directory") return `d 0/0 0 ${path}/`;
    return type === "symlink" ? `l 0/0 0 ${path} -> ${target ?? ""}` : `- 0/0 ${String(size)} ${path}`;
  });
  return [`- 0/0 ${String(manifest.length)} manifest.json`, ...rest];
}

/** What tar alone unpacked is a repository to git, and says what the live one says. */
async function expectSoundRepository(captured: string, live: string): Promise<void> {
  const ask = async (gitDir: string, ...args: readonly string[]) => {
    const { stdout, stderr } = await execute("git", [`--git-dir=${gitDir}`, ...args]);
    return `${stdout.toString()}${stderr}`;
  };
  expect(await ask(captured, "fsck", "--full", "--strict", "--no-progress")).not.toMatch(/error|missing|broken/);
  for (const args of [["rev-parse", "HEAD"], ["symbolic-ref", "HEAD"], ["for-each-ref"], ["log", "--all", "--stat"]]) {
    const said = await ask(live, ...args);
    expect(said).not.toBe("");
    expect(await ask(captured, ...args)).toBe(said);
  }
}

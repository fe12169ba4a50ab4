import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import type { Readable } from "node:stream";
import { dirname, join } from "node:path";
import {
  type ArtifactReader,
  type ArtifactSource,
  type BundleEntry,
  collectBytes,
  type Omission,
  parseAgentId,
  parseArtifactPath,
  parseTenantId,
  percentDecodePath,
  type PathClaim,
  type RestorePlan,
  sha256Hex,
  type SourceFacts,
} from "@keepsake/core";
import { afterAll } from "vitest";
import { applySwap, makeStagingPlace, stagingPlaceFor } from "@keepsake/files";
import { unpackedCopy } from "@keepsake/testkit";

const ref = { tenant: parseTenantId("default"), agent: parseAgentId("ana") };

const made: string[] = [];
afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
});

/** An empty folder, removed when the tests have ended. */
export function freshDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "keepsake-git-"));
  made.push(dir);
  return dir;
}

const ENV = {
  ...process.env,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "Ana",
  GIT_AUTHOR_EMAIL: "ana@example.org",
  GIT_COMMITTER_NAME: "Ana",
  GIT_COMMITTER_EMAIL: "ana@example.org",
};

/** Runs git in a folder; its standard output without the last newline. */
export function run(cwd: string, ...args: string[]): string {
  const all = ["-c", "protocol.file.allow=always", "-c", "gc.auto=0", ...args];
  return execFileSync("git", all, { cwd, env: ENV, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trimEnd();
}

/** Runs git; standard output and error together, and whether it succeeded. */
export function attempt(cwd: string, ...args: string[]): { ok: boolean; text: string } {
  try {
    return { ok: true, text: execFileSync("git", args, { cwd, env: ENV, encoding: "utf8", stdio: "pipe" }) };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return { ok: false, text: stdout + stderr };
  }
}

export function write(dir: string, path: string, text: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}

export function commitFile(dir: string, path: string, text: string, message = `write ${path}`): void {
  write(dir, path, text);
  run(dir, "add", path);
  run(dir, "commit", "-q", "-m", message);
}

/** A folder with a repository of `commits` commits made by git. */
export function notes(commits: number, ...init: string[]): string {
  const dir = freshDir();
  run(dir, "init", "-q", "-b", "main", ...init);
  const lines: string[] = [];
  for (let number = 1; number <= commits; number++) {
    const text = `# note ${String(number % 17)}\n${"words ".repeat(number % 40)}\nrevision ${String(number)}\n`;
    lines.push(`commit refs/heads/main`, `committer Ana <ana@example.org> ${String(1_700_000_000 + number)} +0000`);
    lines.push(`data <<END\nnote ${String(number)}\nEND`, `M 100644 inline notes/${String(number % 17)}.md`);
    lines.push(`data <<END\n${text}END`, "");
  }
  execFileSync("git", ["fast-import", "--quiet"], { cwd: dir, env: ENV, input: `${lines.join("\n")}\n` });
  run(dir, "reset", "-q", "--hard");
  return dir;
}

/** A bundle of one source, on disk as an engine would unpack it. */
export interface Captured extends ArtifactReader {
  readonly facts: SourceFacts;
  readonly claims: readonly PathClaim[];
  readonly absent: readonly string[];
}

export async function capture(source: ArtifactSource, memory: string, signal?: AbortSignal): Promise<Captured> {
  const scratchDir = freshDir();
  const files = freshDir();
  await using session = await source.open({ agent: ref, paths: { memory }, scratchDir, claimed: [] });
  await session.pin();
  const entries: BundleEntry[] = [];
  const omitted: Omission[] = [];
  const absent: string[] = [];
  for await (const entry of session.entries({ signal })) {
    if (entry.type === "absent") {
      absent.push(entry.path);
      continue;
    }
    if (entry.type === "omitted") {
      const { type: _type, ...rest } = entry;
      omitted.push({ source: source.id, ...rest });
      continue;
    }
    parseArtifactPath(entry.path);
    const meta = {
      pathInBundle: `${source.id}/${entry.path}`,
      kind: source.kind,
      source: source.id,
      type: entry.type,
      sizeBytes: 0,
      sha256: sha256Hex(""),
      mode: entry.type === "symlink" ? 0o777 : entry.mode,
      mtimeMs: entry.mtimeMs,
      ...(entry.nameEncoding === undefined ? {} : { nameEncoding: entry.nameEncoding }),
      ...(entry.type === "symlink" ? { linkTarget: entry.target } : {}),
      ...(entry.type === "file" && entry.facts !== undefined ? { facts: entry.facts } : {}),
    };
    if (entry.type !== "file") {
      entries.push({ meta, path: entry.path });
      continue;
    }
    const file = join(files, String(entries.length));
    if ("file" in entry.content) renameSync(entry.content.file, file);
    else if ("bytes" in entry.content) writeFileSync(file, entry.content.bytes);
    else if ("stream" in entry.content) writeFileSync(file, await collectBytes(entry.content.stream, 1e9));
    const bytes = readFileSync(file);
    entries.push({ meta: { ...meta, sizeBytes: bytes.length, sha256: sha256Hex(bytes) }, path: entry.path, file });
  }
  const paths = entries.map((entry) => entry.path);
  if (new Set(paths).size !== paths.length) throw new Error("two entries with one path");
  return { entries, omitted, absent, facts: (await session.describe?.()) ?? {}, claims: session.claims };
}

/** What `tar -x` would make of the bundle: the source's folder. */
export function extract(captured: ArtifactReader): string {
  const dir = freshDir();
  for (const { meta, path, file } of captured.entries) {
    const target = join(dir, meta.nameEncoding === "percent" ? percentDecodePath(path).toString() : path);
    mkdirSync(dirname(target), { recursive: true });
    if (meta.type === "directory") mkdirSync(target, { recursive: true });
    else if (meta.type === "symlink") symlinkSync(meta.linkTarget ?? "", target);
    else if (file !== undefined) {
      cpSync(file, target);
      chmodSync(target, meta.mode);
    }
  }
  return dir;
}

/** A bundle whose private files may be used up. */
async function copyOf(reader: ArtifactReader): Promise<ArtifactReader> {
  const dir = freshDir();
  const copies = reader.entries.map((entry, number) => unpackedCopy(entry, join(dir, String(number))));
  return { omitted: reader.omitted, entries: await Promise.all(copies) };
}

/** Stages a restore of `reader` into `memory`; nothing is committed. */
export async function stage(
  source: ArtifactSource,
  reader: ArtifactReader,
  memory: string,
  operationId = "op1",
): Promise<RestorePlan> {
  const target = {
    agent: ref,
    paths: { memory },
    operationId,
    claimed: [],
    artifacts: reader.entries.map(({ meta }) => meta),
    live: false,
    stageBeside: async (dir: string): Promise<string> => {
      const place = await stagingPlaceFor(dir, operationId);
      await makeStagingPlace(place);
      return place;
    },
  };
  if (source.openRestore === undefined) throw new Error("no restore");
  await using session = await source.openRestore(target);
  const own = await copyOf(reader);
  const each = async function* (): AsyncGenerator<BundleEntry> {
    yield* own.entries;
  };
  const plan = await session.stage(each(), own.omitted);
  return JSON.parse(JSON.stringify(plan)) as RestorePlan;
}

/** Stages and commits. */
export async function restore(
  source: ArtifactSource,
  reader: ArtifactReader,
  memory: string,
  operationId = "op1",
): Promise<RestorePlan> {
  const plan = await stage(source, reader, memory, operationId);
  await applySwap(plan.data as never);
  rmSync(await stagingPlaceFor(memory, operationId), { recursive: true, force: true });
  return plan;
}

/** Something that goes on until it is stopped. */
export interface Running {
  stop(): Promise<void>;
}

/** Starts a program of Node's and waits for its first output. */
export async function program(script: string, ...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  return await running(child, () => child.kill("SIGKILL"));
}

/** Runs `script` (sh) in a loop; resolves once it ran once. It is stopped between two rounds, with no git left running. */
export async function busy(cwd: string, script: string): Promise<Running> {
  const end = join(freshDir(), "end");
  const loop = `i=0; while [ ! -e ${end} ]; do i=$((i+1)); ${script}; echo .; done`;
  const child = spawn("sh", ["-c", loop], { cwd, env: ENV, stdio: ["ignore", "pipe", "ignore"] });
  return await running(child, () => writeFileSync(end, ""));
}

async function running(
  child: ChildProcessByStdio<null, Readable, Readable | null>,
  stop: () => unknown,
): Promise<Running> {
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.stdout.resume();
  return {
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      stop();
      await ended;
    },
  };
}

import { type ChildProcess, execFileSync, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type ArtifactMeta,
  type ArtifactSource,
  type CaptureSession,
  type CaptureTarget,
  type FileEntry,
  parseAgentId,
  parseTenantId,
  type SourceEntry,
} from "@keepsake/core";
import { tempDir } from "@keepsake/testkit";
import Database from "better-sqlite3";

export const agent = { agent: parseAgentId("ana"), tenant: parseTenantId("acme") };

/** A folder with an agent's memory and one for scratch files. */
export async function place() {
  const dir = await tempDir();
  const memory = dir.join("memory");
  mkdirSync(memory);
  return {
    memory,
    dir: dir.path,
    target(): CaptureTarget {
      const scratchDir = mkdtempSync(dir.join("scratch-"));
      return { agent, paths: { memory }, scratchDir, claimed: [] };
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

/** Makes a database, and folders for it, and closes it. */
export function make(file: string, sql: string, before = ""): string {
  mkdirSync(dirname(file), { recursive: true });
  const connection = new Database(file);
  connection.exec(before);
  connection.exec(sql);
  connection.close();
  return file;
}

/** Runs a query on a database that nobody writes to. */
export function query(file: string, sql: string): unknown[] {
  const connection = new Database(file, { readonly: true });
  try {
    return connection.prepare(sql).raw().all();
  } finally {
    connection.close();
  }
}

/** What the `sqlite3` program says. */
export function judge(file: string, sql = "PRAGMA integrity_check"): string {
  return execFileSync("sqlite3", [file, sql], { encoding: "utf8" }).trim();
}

/** Size and digest of every file below a folder: two equal answers mean that nothing was touched. */
export function bytesOf(dir: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
    // The index of a log is shared memory: readers mark their place in it.
    found[file.slice(dir.length + 1)] = file.endsWith("-shm") ? "index" : `${String(statSync(file).mtimeMs)} ${digest}`;
  }
  return found;
}

export async function collectEntries(session: CaptureSession, signal?: AbortSignal): Promise<SourceEntry[]> {
  const entries: SourceEntry[] = [];
  for await (const entry of session.entries({ signal })) entries.push(entry);
  return entries;
}

/** A whole capture as the engine does it: hold, pin, release, entries. */
export async function capture(source: ArtifactSource, target: CaptureTarget) {
  await using session = await source.open(target);
  const before = await session.fence?.();
  const hold = await session.hold?.();
  const guarantee = await session.pin();
  await hold?.[Symbol.asyncDispose]();
  const entries = await collectEntries(session);
  const facts = await session.describe?.();
  const unmoved = before === (await session.fence?.());
  return { entries, guarantee, facts, unmoved, claims: session.claims };
}

export function filesOf(entries: readonly SourceEntry[]): Record<string, FileEntry & { file: string }> {
  const files: Record<string, FileEntry & { file: string }> = {};
  for (const entry of entries) {
    if (entry.type !== "file" || !("file" in entry.content)) continue;
    files[entry.path] = { ...entry, file: entry.content.file };
  }
  return files;
}

/** The manifest's words for a captured file. */
export function metaOf(entry: FileEntry, file: string): ArtifactMeta {
  const { path, mode, mtimeMs, facts, nameEncoding } = entry;
  return {
    pathInBundle: `sqlite/${path}`,
    kind: "sqlite",
    source: "sqlite",
    type: "file",
    sizeBytes: statSync(file).size,
    sha256: createHash("sha256").update(readFileSync(file)).digest("hex"),
    mode,
    mtimeMs,
    ...(nameEncoding === undefined ? {} : { nameEncoding }),
    ...(facts === undefined ? {} : { facts }),
  };
}

const programs = fileURLToPath(new URL("programs/", import.meta.url));

/** A child program that said it is ready; killed when it is disposed. */
export async function start(program: string, ...args: string[]) {
  const child: ChildProcess = fork(join(programs, program), args, { execArgv: [] });
  const said: unknown[] = [];
  child.on("message", (message) => said.push(message));
  await once(child, "message");
  return {
    child,
    said,
    pid: child.pid ?? 0,
    async ask(message: object | string): Promise<unknown> {
      child.send(message);
      return ((await once(child, "message")) as unknown[])[0];
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Runs a child program that ends by being killed. */
export function runKilled(...args: string[]): void {
  const { signal } = spawnSync(process.execPath, [join(programs, "killed.mjs"), ...args]);
  if (signal !== "SIGKILL") throw new Error("The program was to be killed.");
}

/** Captures in a process that may do only what others may: as another user where this one is root. */
export function captureUnprivileged(at: { memory: string; dir: string }, ...required: string[]): unknown[][] {
  const scratch = mkdtempSync(join(at.dir, "scratch-"));
  for (const dir of [at.dir, scratch]) chmodSync(dir, 0o777);
  const command = [process.execPath, join(programs, "capture.mjs"), at.memory, scratch, ...required];
  const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...command];
  const [program = "", ...args] = process.getuid?.() === 0 ? asNobody : command;
  return JSON.parse(execFileSync(program, args, { encoding: "utf8" })) as unknown[][];
}

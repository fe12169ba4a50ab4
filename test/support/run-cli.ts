import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "@keepsake/core";

const BIN = fileURLToPath(new URL("../../packages/cli/bin/keepsake.js", import.meta.url));

/** How a run of the command ended. */
export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and as whom the command runs. */
export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** put before the command: ["setpriv", "--reuid=65534", …] */
  readonly wrapper?: readonly string[];
}

/** Runs the real command in a process of its own, without a terminal. */
export function runCli(args: readonly string[], { cwd, env = {}, wrapper = [] }: CliOptions = {}): Promise<CliRun> {
  const [program = process.execPath, ...rest] = [...wrapper, process.execPath, BIN, ...args];
  const clean = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env };
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { cwd, env: clean, stdio: ["ignore", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
  });
}

/** The same with `--json`; the one document on standard output, parsed. @throws when the command failed */
export async function runJson(args: readonly string[], options: CliOptions = {}): Promise<JsonObject> {
  const run = await runCli([...args, "--json"], options);
  if (run.code !== 0 && run.code !== 3) throw new Error(`exit ${String(run.code)}: ${run.stderr}`);
  return JSON.parse(run.stdout) as JsonObject;
}

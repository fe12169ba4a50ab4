import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "@keepsake/core";
import { type CommandRun, runInProcess } from "../../packages/cli/test/support/in-process.js";

const BIN = fileURLToPath(new URL("../../packages/cli/bin/keepsake.js", import.meta.url));

/** Where and as whom the command runs. */
export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** put before the command, which then is a process of its own: [] or ["setpriv", "--reuid=65534", …] */
  readonly wrapper?: readonly string[];
}

/** Runs the real command to its end, without a terminal. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CommandRun> {
  const { cwd = process.cwd(), wrapper } = options;
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...options.env };
  if (wrapper === undefined) return runInProcess(args, { cwd, env });
  const [program = process.execPath, ...rest] = [...wrapper, process.execPath, BIN, ...args];
  const child = spawn(program, rest, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close") as Promise<[number | null]>;
  const said = [child.stdout, child.stderr].map(async (stream) =>
    Buffer.concat((await stream.toArray()) as Buffer[]).toString(),
  );
  const [stdout = "", stderr = ""] = await Promise.all(said);
  const [code] = await closed;
  return { code, stdout, stderr };
}

/** The same with `--json`; the one document on standard output, parsed. @throws when the command failed */
export async function runJson(args: readonly string[], options: CliOptions = {}): Promise<JsonObject> {
  const run = await runCli([...args, "--json"], options);
  if (run.code !== 0 && run.code !== 3) throw new Error(`exit ${String(run.code)}: ${run.stderr}`);
  return JSON.parse(run.stdout) as JsonObject;
}

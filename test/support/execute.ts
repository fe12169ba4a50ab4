import { spawn } from "node:child_process";

/** How a program ended. */
export interface Execution {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Where a program runs. */
export interface ExecuteOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end. @throws Error with what it wrote to stderr, when it does not exit with 0 */
export async function execute(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: ExecuteOptions = {},
): Promise<Execution> {
  const done = await attempt(program, args, { ...(cwd === undefined ? {} : { cwd }), env });
  if (done.code === 0) return done;
  throw new Error(`${program} ${args.join(" ")}: exit ${String(done.code)}: ${done.stderr}`);
}

/** The same, whatever the exit code. */
export function attempt(program: string, args: readonly string[], options: ExecuteOptions = {}): Promise<Execution> {
  const { cwd, env = {} } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() });
    });
  });
}

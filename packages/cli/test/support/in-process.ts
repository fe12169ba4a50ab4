import { PassThrough, Readable } from "node:stream";
import { runCommandLine, type Terminal } from "../../src/index.js";

/** How a run of the command ended. */
export interface CommandRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command line runs in. */
export interface CommandPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** what stands on standard input, which is no terminal */
  readonly input?: string | undefined;
}

/**
 * Runs a command line to its end in this process: all of it but the process's own beginning and end, which take longer than
 * most commands do. Standard output and standard error are pipes.
 */
export async function runInProcess(
  args: readonly string[],
  { cwd, env, input = "" }: CommandPlace,
): Promise<CommandRun> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = [stdout, stderr].map(async (stream) => Buffer.concat((await stream.toArray()) as Buffer[]).toString());
  const terminal: Terminal = {
    stdin: Readable.from([Buffer.from(input)]) as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    env,
    cwd,
  };
  const code = await runCommandLine(args, terminal);
  stdout.end();
  stderr.end();
  const [out = "", err = ""] = await Promise.all(said);
  return { code, stdout: out, stderr: err };
}

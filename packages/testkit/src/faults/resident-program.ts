import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { LoadedProgram, ProgramRun, RunOptions } from "./program.js";
import { helpersEnd } from "./run-program.js";

/**
 * A program that answers each line of its input with one line of output. It is started once and struck many times; where
 * a strike ended it, another is started at once, so that it is warm when the next question comes.
 */
export class ResidentProgram implements AsyncDisposable {
  readonly #load: () => LoadedProgram;
  #process: RunningProgram;

  constructor(load: () => LoadedProgram) {
    this.#load = load;
    this.#process = new RunningProgram(load());
  }

  /** Asks it one line. One question at a time. */
  async ask(line: string, options: RunOptions): Promise<ProgramRun> {
    const run = await this.#process.ask(line, options);
    if (run.ended !== undefined) this.#process = new RunningProgram(this.#load());
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.end();
  }
}

class RunningProgram {
  readonly #loaded: LoadedProgram;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #closed: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>;
  #said = "";
  #stderr = "";
  #hear: () => void = () => undefined;

  constructor(loaded: LoadedProgram) {
    this.#loaded = loaded;
    const { program, env } = loaded;
    const [command, ...args] = program.argv;
    this.#child = spawn(command, args, { cwd: program.cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    // A question to a program that has just ended fails; its end is what is told.
    this.#child.stdin.on("error", () => undefined);
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString();
      if (this.#said.includes("\n")) this.#hear();
    });
    this.#child.stderr.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.#closed = once(this.#child, "close").then(([exitCode, signal]: unknown[]) => ({
      exitCode: exitCode as number | null,
      signal: signal as NodeJS.Signals | null,
    }));
  }

  async ask(line: string, { within, strike }: RunOptions): Promise<ProgramRun> {
    const { control } = this.#loaded;
    this.#said = "";
    this.#stderr = "";
    const answered = new Promise<undefined>((resolve) => {
      this.#hear = () => {
        resolve(undefined);
      };
    });
    control.arm(within, this.#child.pid ?? 0, strike);
    this.#child.stdin.write(`${line}\n`);
    const ended = await Promise.race([answered, this.#closed]);
    if (ended !== undefined) await helpersEnd(control);
    control.disarm();
    const [said = ""] = this.#said.split("\n");
    return { said, stderr: this.#stderr, ...(ended === undefined ? {} : { ended }), calls: control.calls() };
  }

  async end(): Promise<void> {
    this.#child.stdin.end();
    const stopped = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    await this.#closed;
    clearTimeout(stopped);
  }
}

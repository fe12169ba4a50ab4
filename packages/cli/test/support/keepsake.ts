import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { type CommandRun, runInProcess } from "./in-process.js";

/** The command as a built checkout has it. */
export const BIN = fileURLToPath(new URL("../../bin/keepsake.js", import.meta.url));

export interface Ran extends CommandRun {
  /** stdout as JSON */
  json(): Record<string, unknown>;
  /** the `error` of the one JSON document on stderr */
  error(): { readonly code: string; readonly message: string; readonly hint?: string; readonly context: object };
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** A home of its own for a test file: nothing of the machine's configuration is seen, nothing is left. */
export class Bench {
  readonly dir = mkdtempSync(join(tmpdir(), "keepsake-cli-"));

  readonly #children = new Set<ChildProcess>();

  constructor() {
    afterAll(async () => {
      // A test that failed may have left a question unanswered.
      for (const child of this.#children) child.kill("SIGKILL");
      await rm(this.dir, { recursive: true, force: true });
    });
  }

  #follow<C extends ChildProcess>(child: C): C {
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }

  path(...parts: readonly string[]): string {
    return join(this.dir, ...parts);
  }

  async write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(this.path(name)), { recursive: true });
      await writeFile(this.path(name), content);
    }
  }

  env(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: this.path("home"),
      XDG_DATA_HOME: this.path("data"),
      TERM: "xterm",
      ...more,
    };
  }

  start(args: readonly string[], options: RunOptions = {}): ChildProcess {
    return this.#follow(
      spawn(process.execPath, [BIN, ...args], {
        cwd: options.cwd ?? this.dir,
        env: this.env(options.env),
        stdio: "pipe",
      }),
    );
  }

  /** Runs the command to its end, in this process. */
  async run(args: readonly string[], { cwd = this.dir, env, input }: RunOptions = {}): Promise<Ran> {
    return readable(await runInProcess(args, { cwd, env: this.env(env), input }));
  }

  /** The same in a process of its own. */
  runAlone(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const child = this.start(args, options);
    child.stdin?.end(options.input ?? "");
    return ended(child);
  }

  /** Runs it in a pseudo-terminal (util-linux `script`), typing `keys` once `prompt` has appeared. */
  runInTerminal(args: readonly string[], prompt: RegExp | undefined, keys: string): Promise<Ran> {
    const quoted = [process.execPath, BIN, ...args].map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(" ");
    const child = this.#follow(
      spawn("script", ["-qec", `stty cols 200 rows 50; ${quoted}`, "/dev/null"], {
        cwd: this.dir,
        env: this.env(),
        stdio: "pipe",
      }),
    );
    let seen = "";
    let typed = false;
    child.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (typed || prompt?.test(seen) !== true) return;
      typed = true;
      child.stdin.write(keys);
    });
    return ended(child);
  }
}

/** Resolves when a child has ended, with what it wrote. */
export function ended(child: ChildProcess): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      const stdout = Buffer.concat(out).toString();
      const stderr = Buffer.concat(err).toString();
      resolve(readable({ code, stdout, stderr }));
    });
  });
}

function readable(run: CommandRun): Ran {
  return {
    ...run,
    json: () => JSON.parse(run.stdout) as Record<string, unknown>,
    error: () => (JSON.parse(run.stderr) as { error: ReturnType<Ran["error"]> }).error,
  };
}

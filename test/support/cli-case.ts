import { mkdir } from "node:fs/promises";
import { type TempDir, tempDir, treeDigest } from "@keepsake/testkit";
import { expect } from "vitest";
import type { CommandRun } from "../../packages/cli/test/support/in-process.js";
import { type CliOptions, runCli } from "./run-cli.js";

/** A folder with a memory and a state root, and the command run on them. */
export class CliCase implements AsyncDisposable {
  readonly temp: TempDir;

  private constructor(temp: TempDir) {
    this.temp = temp;
  }

  static async make(): Promise<CliCase> {
    const made = new CliCase(await tempDir());
    await mkdir(made.memory);
    return made;
  }

  get memory(): string {
    return this.temp.join("memory");
  }

  get root(): string {
    return this.temp.join("root");
  }

  /** Runs `command --agent ana --root … --json …`. */
  run(command: string, args: readonly string[] = [], options: CliOptions = {}): Promise<CommandRun> {
    return runCli([command, "--agent", "ana", "--root", this.root, "--json", ...args], {
      cwd: this.temp.path,
      ...options,
    });
  }

  /** The same of a command that works on the live memory. */
  runLive(command: string, args: readonly string[] = [], options: CliOptions = {}): Promise<CommandRun> {
    return this.run(command, ["--memory", this.memory, ...args], options);
  }

  /** Takes a snapshot as it is; gives its id. */
  async snapshot(...args: readonly string[]): Promise<string> {
    const run = await this.runLive("snapshot", ["--no-redact", ...args]);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    return String((JSON.parse(run.stdout) as { id: unknown }).id);
  }

  /** The memory with all times, and what of the state root anybody can see: no locks. */
  async everything(): Promise<unknown> {
    return { memory: await treeDigest(this.memory), stored: await this.stored(), left: await this.leftovers() };
  }

  async stored(): Promise<unknown> {
    return treeDigest(this.root, { exclude: (path) => /^(agents|staging|journals)$/.test(path) }).catch(() => ({}));
  }

  /** Files in staging and journals, and what lies beside the memory. */
  async leftovers(): Promise<readonly string[]> {
    const all = await treeDigest(this.temp.path, { exclude: (path) => path === "memory" || path === "root/tenants" });
    return Object.entries(all)
      .filter(([path, { type }]) => /^root\/(staging|journals)\//.test(path) && type !== "directory")
      .map(([path]) => path)
      .concat(Object.keys(all).filter((path) => path.includes(".keepsake-")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.temp[Symbol.asyncDispose]();
  }
}

/** The one error document on stderr of a run with `--json`. */
export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly context: Readonly<Record<string, unknown>>;
}

/** Shows that a run was refused as `cli.md` says: exit code, code, a sentence, and no document beside it. */
export function expectRefused(run: CommandRun, exit: number, code: string): ErrorDocument {
  expect(run, run.stderr).toMatchObject({ code: exit, stdout: "" });
  const { error } = JSON.parse(run.stderr) as { error: ErrorDocument };
  expect(error.code).toBe(code);
  expect(error.message).toMatch(/^\S.{8,}\S$/s);
  expect(error.message).not.toMatch(/undefined|\[object|NaN|\n\s+at /);
  return error;
}

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

export const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** A program that is talked to line by line, and ends with the test. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  constructor(args: readonly string[], command: string = process.execPath) {
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    if (this.child.stdout === null) throw new Error("no output");
    this.#reader = createInterface({ input: this.child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** The next line it says. */
  async line(): Promise<string | undefined> {
    const step = await this.#lines.next();
    return step.done === true ? undefined : step.value;
  }

  async ask(line: string): Promise<string | undefined> {
    this.child.stdin?.write(`${line}\n`);
    return this.line();
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.#reader.close();
  }
}

/** Runs a fixture to its end and returns what it said. */
export async function run(args: readonly string[], command: string = process.execPath): Promise<string> {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
  });
  let said = "";
  child.stdout.on("data", (data: Buffer) => (said += data.toString()));
  await once(child, "close");
  return said.trim();
}

/** True when the program is here; an error when it must be and is not. Says what is left out without it. */
export function hasTool(command: string, args: readonly string[], leftOut: string): boolean {
  if (spawnSync(command, args).status === 0) return true;
  if (process.env["KEEPSAKE_REQUIRE_TOOLS"] === "1") throw new Error(`${command} is required and does not work here`);
  console.log(`${command} does not work here: ${leftOut} is left out`);
  return false;
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

export const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

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

  say(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  async ask(line: string): Promise<string | undefined> {
    this.say(line);
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
  });
  let said = "";
  child.stdout.on("data", (data: Buffer) => (said += data.toString()));
  await once(child, "close");
  return said.trim();
}

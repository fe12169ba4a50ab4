import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A program that tells on standard output, line by line, what it has done. */
export class RunningProgram implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #stderr = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout !== null) createInterface({ input: child.stdout }).on("line", (line) => this.#note(line));
    child.stderr?.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()));
    child.on("exit", () => this.#wake());
    // It may be killed while something is on the way to it.
    child.stdin?.on("error", () => undefined);
  }

  /** Starts one of the programs of this folder with this Node. */
  static node(name: string, ...args: readonly string[]): RunningProgram {
    return RunningProgram.start(process.execPath, fileURLToPath(new URL(name, import.meta.url)), ...args);
  }

  static start(program: string, ...args: readonly string[]): RunningProgram {
    return new RunningProgram(spawn(program, [...args], { stdio: ["pipe", "pipe", "pipe"] }));
  }

  get last(): string {
    return this.lines.at(-1) ?? "";
  }

  /** Resolves when it has told so many lines since it was started. @throws Error when it ended before */
  async told(count: number): Promise<void> {
    while (this.lines.length < count) {
      if (this.ended) throw new Error(`the program ended after ${String(this.lines.length)} lines: ${this.#stderr}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Writes to its standard input. */
  send(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Resolves when it has ended by itself. */
  async closed(): Promise<void> {
    if (!this.ended) await once(this.#child, "close");
  }

  /** Ends it as a crash does. Afterwards `lines` is all it told. */
  async kill(): Promise<void> {
    if (this.ended) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #note(line: string): void {
    this.lines.push(line);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

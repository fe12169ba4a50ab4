import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { fileURLToPath } from "node:url";
import { type Answer, answerOf, type PlacedOperation } from "./operation.js";

const PROGRAM = fileURLToPath(new URL("operate.mjs", import.meta.url));
const HOOKS = new URL("stop-hooks.mjs", import.meta.url).href;

/** The first call of this name with a path that matches: there the process stops. */
export interface StopPoint {
  readonly name: "link" | "rename";
  readonly path: RegExp;
}

/** An operation of the library in a process of its own, which stops at a point until it is told to go on. */
export class StoppedOperation implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #said = "";

  private constructor(operation: PlacedOperation, { name, path }: StopPoint) {
    const stop = { program: "operate.mjs", name, path: path.source, signal: "SIGSTOP" };
    const env = { ...process.env, NODE_OPTIONS: `--import ${HOOKS}`, KEEPSAKE_STOP: JSON.stringify(stop) };
    this.#child = spawn(process.execPath, [PROGRAM], { env, detached: true, stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin?.end(`${JSON.stringify(operation)}\n`);
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.#said += chunk.toString()));
    this.#closed = once(this.#child, "close");
  }

  /** Starts it, and resolves when it has stopped. */
  static async at(operation: PlacedOperation, point: StopPoint): Promise<StoppedOperation> {
    const stopped = new StoppedOperation(operation, point);
    await expect.poll(() => stopped.#state, { timeout: 120_000, interval: 20 }).toBe("T");
    return stopped;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Wakes it up, and resolves with its answer when it has ended. */
  async goOn(): Promise<Answer> {
    process.kill(this.pid, "SIGCONT");
    await this.#closed;
    return answerOf(this.#said);
  }

  /** Ends it and its helpers, as a crash does. */
  async kill(): Promise<void> {
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  /** The third field of /proc/<pid>/stat: "T" for a stopped process. */
  get #state(): string {
    try {
      const stat = readFileSync(`/proc/${String(this.pid)}/stat`, "latin1");
      return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
    } catch {
      return "ended";
    }
  }
}

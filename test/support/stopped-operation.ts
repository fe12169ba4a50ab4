import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { fileURLToPath } from "node:url";
import type { Operation, Outcome } from "./crash-sweep.js";

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

  private constructor(operation: Operation, { name, path }: StopPoint) {
    const stop = { program: "operate.mjs", name, path: path.source, signal: "SIGSTOP" };
    const env = { ...process.env, NODE_OPTIONS: `--import ${HOOKS}`, KEEPSAKE_STOP: JSON.stringify(stop) };
    const { config, stateRoot, request } = operation;
    const args = [PROGRAM, JSON.stringify(config), stateRoot, operation.name, JSON.stringify(request)];
    this.#child = spawn(process.execPath, args, { env, detached: true, stdio: ["ignore", "pipe", "inherit"] });
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.#said += chunk.toString()));
    this.#closed = once(this.#child, "close");
  }

  /** Starts it, and resolves when it has stopped. */
  static async at(operation: Operation, point: StopPoint): Promise<StoppedOperation> {
    const stopped = new StoppedOperation(operation, point);
    await expect.poll(() => stopped.#state, { timeout: 120_000, interval: 20 }).toBe("T");
    return stopped;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Wakes it up, and resolves with how it ended. */
  async goOn(): Promise<Outcome> {
    process.kill(this.pid, "SIGCONT");
    await this.#closed;
    const answer = this.#said === "" ? {} : (JSON.parse(this.#said) as Pick<Outcome, "result" | "error">);
    return { killed: this.#said === "", stderr: "", ...answer };
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

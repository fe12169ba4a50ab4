import { type ChildProcess, fork } from "node:child_process";
import { KeepsakeError, type OpOptions } from "@keepsake/core";
import type { CallName, Calls, FromHelper, ToHelper } from "./protocol.js";
import { fromWireError } from "./wire-error.js";

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** How long the helper may take to close its databases before it is killed. */
const CLOSE_MS = 30_000;

/**
 * A process of its own in which all databases are opened and read.
 *
 * A thread would not do: POSIX locks belong to the process, so that closing *any* descriptor of a database drops the
 * locks that an agent, in which Keepsake is embedded, holds on it (sqlite.org/howtocorrupt.html, section 2.2); and a
 * second copy of SQLite in one process does not see the first one's locks.
 */
export class HelperProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #nextId = 0;
  #lastWords = "";
  #gone: Error | undefined;
  #disposed: Promise<void> | undefined;

  constructor() {
    this.#child = fork(new URL("./main.js", import.meta.url), [], {
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString("utf8")).slice(-2000);
    });
    this.#child.on("message", (message) => {
      this.#receive(message as FromHelper);
    });
    this.#exited = new Promise((resolve) => {
      const ended = (why: string, cause?: Error): void => {
        this.#fail(why, cause);
        resolve();
      };
      this.#child.once("error", (error) => {
        ended("could not be started", error);
      });
      // Not "close": after a disconnect from this side Node 20 never tells of it.
      this.#child.once("exit", (code, signal) => {
        ended(`ended (${signal ?? String(code)})`);
      });
    });
    this.#idle();
  }

  /** Asks the helper. On abort it rejects at once, and the helper stops what it does. */
  async call<N extends CallName>(name: N, argument: Calls[N][0], { signal }: OpOptions = {}): Promise<Calls[N][1]> {
    signal?.throwIfAborted();
    if (this.#gone !== undefined) throw this.#gone;
    const id = this.#nextId++;
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<Calls[N][1]>((resolve, reject) => {
        this.#pending.set(id, { resolve: (value) => resolve(value as Calls[N][1]), reject });
        onAbort = () => {
          this.#tell({ type: "abort", id });
          reject(signal?.reason as Error);
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        this.#busy();
        this.#tell({ type: "call", id, name, argument });
      });
    } finally {
      this.#pending.delete(id);
      if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
      if (this.#pending.size === 0) this.#idle();
    }
  }

  /** Closes every database and ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#end();
    await this.#disposed;
  }

  /** Ends the process at once. Not while live databases are open: their logs would stay behind. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #end(): Promise<void> {
    if (this.#gone !== undefined) return this.#exited;
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), CLOSE_MS);
    try {
      await this.call("close", null);
    } catch {
      // It ended by itself, which is what is wanted.
    }
    this.#busy();
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
    clearTimeout(timer);
  }

  #tell(message: ToHelper): void {
    if (this.#child.connected) this.#child.send(message);
  }

  #receive(message: FromHelper): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    if (message.type === "done") pending.resolve(message.value);
    else pending.reject(fromWireError(message.error));
  }

  #fail(why: string, cause?: Error): void {
    const words = this.#lastWords.trim();
    this.#gone ??= new KeepsakeError("E_IO", `The process that reads the databases ${why}.`, {
      ...(cause === undefined ? (words === "" ? {} : { cause: new Error(words) }) : { cause }),
      retry: "temporary",
    });
    for (const pending of this.#pending.values()) pending.reject(this.#gone);
  }

  /** An idle helper does not keep its parent alive. */
  #idle(): void {
    this.#child.unref();
    this.#child.channel?.unref();
    (this.#child.stderr as { unref?: () => void } | null)?.unref?.();
  }

  #busy(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }
}

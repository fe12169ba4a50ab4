import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fromSystemError, KeepsakeError, type OpOptions } from "@keepsake/core/basics";
import type { CallName, Calls, FromHelper, ToHelper } from "./protocol.js";
import { fromWireError } from "./wire-error.js";

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** How long the helper may take for what; afterwards it is killed. In milliseconds. */
export interface HelperLimits {
  /** until it answers its first call at all */
  readonly start: number;
  /** to close its databases */
  readonly close: number;
  /** for a call that waits for no more than locks */
  readonly short: number;
  /** for a call that reads or writes whole databases: a hundred gigabytes take an hour on a slow disk */
  readonly long: number;
}

const LIMITS: HelperLimits = { start: 60_000, close: 30_000, short: 120_000, long: 4 * 3600_000 };

const LONG: ReadonlySet<CallName> = new Set([
  "open",
  "copy",
  "discover",
  "stage",
  "writeThrough",
  "undoWriteThrough",
  "diff",
]);

/** How long the last words of an ended process are waited for. */
const LAST_WORDS_MS = 500;

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
  readonly #limits: HelperLimits;
  #nextId = 0;
  #started = false;
  #lastWords = "";
  #gone: Error | undefined;
  #disposed: Promise<void> | undefined;

  /**
   * @param program what is run; another one only in tests
   * @throws KeepsakeError `E_IO` when the system has no process to give
   */
  constructor(program = new URL("./main.js", import.meta.url), limits: Partial<HelperLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
    this.#child = start(program);
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString("utf8")).slice(-2000);
    });
    this.#child.on("message", (message) => {
      this.#started = true;
      this.#receive(message as FromHelper);
    });
    this.#exited = new Promise((resolve) => {
      this.#child.on("error", (error) => {
        this.#fail("could not be started", error);
        resolve();
      });
      // Not "close": after a disconnect from this side Node 20 never tells of it.
      this.#child.once("exit", (code, signal) => {
        void ended(this.#child.stderr).then(() => {
          this.#fail(`ended (${signal ?? String(code)})`);
          resolve();
        });
      });
    });
    this.#idle();
  }

  /**
   * Asks the helper. On abort it rejects at once, and the helper stops what it does.
   *
   * @throws KeepsakeError what the helper threw; `E_IO` when it ended or did not answer in time
   */
  async call<N extends CallName>(name: N, argument: Calls[N][0], { signal }: OpOptions = {}): Promise<Calls[N][1]> {
    signal?.throwIfAborted();
    if (this.#gone !== undefined) throw this.#gone;
    const id = this.#nextId++;
    let onAbort: (() => void) | undefined;
    const timer = this.#limit(LONG.has(name) ? this.#limits.long : this.#limits.short);
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
      timer();
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
    const timer = setTimeout(() => this.kill(), this.#limits.close);
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

  /** Ends a helper that does not answer. @returns to be called when it has */
  #limit(limitMs: number): () => void {
    const expire = (ms: number): void => {
      this.#fail(`did not answer within ${String(ms / 1000)} s`);
      this.kill();
    };
    const { start: startMs } = this.#limits;
    const timers = [setTimeout(expire, limitMs, limitMs)];
    if (!this.#started) timers.push(setTimeout(() => this.#started || expire(startMs), startMs));
    return () => {
      timers.forEach(clearTimeout);
    };
  }

  #tell(message: ToHelper): void {
    // A failure to send means that it is ending, which is told by its exit.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #receive(message: FromHelper): void {
    if (message.type === "ready") return;
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

function start(program: URL): ChildProcess {
  try {
    return fork(program, [], {
      // Little of what it works with is JavaScript's: a young generation of 48 MB would stay mostly empty, and resident.
      execArgv: ["--max-semi-space-size=2"],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
  } catch (error) {
    throw fromSystemError(error, "The process that reads the databases could not be started");
  }
}

/** When all was read from the stream, or shortly after: another process may have it too. */
async function ended(stream: Readable | null): Promise<void> {
  if (stream === null || stream.readableEnded || stream.destroyed) return;
  await once(stream, "close", { signal: AbortSignal.timeout(LAST_WORDS_MS) }).catch(() => undefined);
}

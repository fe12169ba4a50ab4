import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Answer, answerOf, type PlacedOperation } from "./operation.js";

const HOOKS = new URL("stop-hooks.mjs", import.meta.url).href;

/** A call of one of the operation's processes, by the end of its program's name, from 1. */
export interface PowerPoint {
  readonly program: string;
  readonly call: number;
  /** for the reader of a failure */
  readonly name: string;
  readonly paths: readonly string[];
}

/** What is done at a point, before the process ends there. */
export interface PowerCut extends PowerPoint {
  readonly command: readonly string[];
}

/** How an operation ended: killed, or with an answer. */
export interface Outcome extends Answer {
  readonly killed: boolean;
}

/** A process that is ready to carry out one operation: starting it takes longer than most operations. */
export class PowerWorker implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #said: string[] = [];
  #closed = false;
  #wake = (): void => undefined;

  /** @param program the file of `power-operate.mjs` */
  constructor(program: string) {
    const env = { ...process.env, NODE_OPTIONS: `--import ${HOOKS}`, UV_THREADPOOL_SIZE: "1" };
    // A group of its own: its helpers end with it.
    this.#child = spawn(process.execPath, [program], { env, detached: true, stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin?.on("error", () => undefined);
    if (this.#child.stdout === null) throw new TypeError("The worker has no output.");
    const lines = createInterface({ input: this.#child.stdout });
    lines.on("line", (line) => {
      this.#said.push(line);
      this.#wake();
    });
    lines.on("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Carries it out, with a cut at a point; or with a `log` of all points. Ends with the answer, or the process. */
  async run(operation: PlacedOperation, cut: PowerCut | { readonly log: string } | undefined): Promise<Outcome> {
    this.#child.stdin?.write(`${JSON.stringify({ ...operation, cut: cut ?? {} })}\n`);
    while (this.#said.length < 2 && !this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve));
    const answer = this.#said[1];
    return { killed: answer === undefined, ...answerOf(answer ?? "") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    const ended =
      this.#child.exitCode === null && this.#child.signalCode === null ? once(this.#child, "exit") : undefined;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // The whole group has ended.
    }
    await ended;
  }
}

/** Every point of an operation, in order, found by carrying it out once. */
export async function powerPointsOf(worker: PowerWorker, operation: PlacedOperation): Promise<readonly PowerPoint[]> {
  const dir = await mkdtemp(join(tmpdir(), "keepsake-points-"));
  try {
    const log = join(dir, "log");
    const outcome = await worker.run(operation, { log });
    if (outcome.result === undefined) throw new Error(`the untouched run failed: ${JSON.stringify(outcome)}`);
    return pointsIn(await readFile(log, "utf8"));
  } finally {
    await rm(dir, { recursive: true });
  }
}

interface LoggedCall {
  readonly program: string;
  readonly pid: number;
  readonly name: string;
  readonly paths: readonly string[];
}

/** Calls are counted by process; of helpers that are started one after the other the first is the one that is cut. */
function pointsIn(log: string): readonly PowerPoint[] {
  const counts = new Map<number, number>();
  const seen = new Set<string>();
  const points: PowerPoint[] = [];
  for (const line of log.trim().split("\n")) {
    const { program, pid, name, paths } = JSON.parse(line) as LoggedCall;
    const call = (counts.get(pid) ?? 0) + 1;
    counts.set(pid, call);
    const end = program.split("/").slice(-2).join("/");
    if (seen.has(`${end} ${String(call)}`)) continue;
    seen.add(`${end} ${String(call)}`);
    points.push({ program: end, call, name, paths });
  }
  return points;
}

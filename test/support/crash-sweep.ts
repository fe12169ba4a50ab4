import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The k-th call of a system call by one thread, from 1. */
export interface CallPoint {
  readonly syscall: string;
  readonly call: number;
}

/** What happens at a point: the process is killed before the call is made, or the call (and those after it) fails. */
export type Fault =
  | { readonly kill: true }
  | { readonly error: "EIO" | "ENOSPC"; readonly from?: "once" | "from_then_on" };

/** An operation of the library, run by `operate.mjs`. */
export interface Operation {
  readonly config: object;
  readonly stateRoot: string;
  readonly name: string;
  readonly request: object;
}

/** How such a run ended: killed, with a result, or with an error. */
export interface Outcome {
  readonly killed: boolean;
  readonly result?: unknown;
  readonly error?: { readonly name?: string; readonly code?: string; readonly message: string };
  /** what was written where neither belongs */
  readonly stderr: string;
}

/** The calls that change what survives a crash. Names differ between machines: those that are not known are left out. */
export const CHANGING_CALLS = [
  ...["rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"],
  ...["mkdir", "mkdirat", "rmdir", "fsync", "fdatasync"],
];

const PROGRAM = fileURLToPath(new URL("operate.mjs", import.meta.url));

/**
 * Every point of an operation at which the process could end, found by running it once untouched.
 *
 * @param syscalls names as strace knows them
 */
export async function pointsOf(operation: Operation, syscalls: readonly string[]): Promise<readonly CallPoint[]> {
  const dir = await mkdtemp(join(tmpdir(), "keepsake-trace-"));
  try {
    const log = join(dir, "log");
    const outcome = await traced(operation, ["-o", log, "-e", `trace=${syscalls.map((name) => `?${name}`).join(",")}`]);
    if (outcome.error !== undefined || outcome.killed)
      throw new Error(`the untouched run failed: ${JSON.stringify(outcome)}`);
    return pointsIn(await readFile(log, "utf8"));
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** strace counts for each thread: a point stands for that call of every thread that comes so far. */
function pointsIn(log: string): readonly CallPoint[] {
  const counts = new Map<string, number>();
  for (const line of log.split("\n")) {
    const [, thread, syscall] = /^(\d+) +([a-z0-9_]+)\(/.exec(line) ?? [];
    if (thread === undefined || syscall === undefined) continue;
    counts.set(`${syscall} ${thread}`, (counts.get(`${syscall} ${thread}`) ?? 0) + 1);
  }
  const most = new Map<string, number>();
  for (const [key, count] of counts) {
    const [syscall = ""] = key.split(" ");
    most.set(syscall, Math.max(most.get(syscall) ?? 0, count));
  }
  return [...most].flatMap(([syscall, count]) =>
    Array.from({ length: count }, (_value, index) => ({ syscall, call: index + 1 })),
  );
}

/** Runs an operation in a process of its own, with one fault. */
export function runWithFault(operation: Operation, { syscall, call }: CallPoint, fault: Fault): Promise<Outcome> {
  const what = "kill" in fault ? "signal=KILL" : `error=${fault.error}`;
  const when = "kill" in fault || fault.from !== "from_then_on" ? String(call) : `${String(call)}+`;
  return traced(operation, [
    "-o",
    "/dev/null",
    "-e",
    `trace=${syscall}`,
    "-e",
    `inject=${syscall}:${what}:when=${when}`,
  ]);
}

/** One thread for files, so that calls come in the same order in every run. */
function traced({ config, stateRoot, name, request }: Operation, options: readonly string[]): Promise<Outcome> {
  const program = [process.execPath, PROGRAM, JSON.stringify(config), stateRoot, name, JSON.stringify(request)];
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1", NODE_OPTIONS: "" };
  return new Promise((resolve, reject) => {
    const child = spawn("strace", ["-f", "-qq", ...options, ...program], { env, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("error", reject);
    child.on("close", () => {
      const answer = said === "" ? {} : (JSON.parse(said) as Pick<Outcome, "result" | "error">);
      resolve({ killed: said === "", stderr, ...answer });
    });
  });
}

/** At most `count` of them, evenly spread, the first and the last among them. */
export function sampleOf<T>(all: readonly T[], count: number): readonly T[] {
  if (all.length <= count) return all;
  return Array.from(
    { length: count },
    (_value, index) => all[Math.round((index * (all.length - 1)) / (count - 1))],
  ).flatMap((item) => item ?? []);
}

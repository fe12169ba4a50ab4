import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { ControlBlock } from "./control-block.js";
import type { LoadedProgram, ProgramRun, RunOptions } from "./program.js";

/** How long helpers of a killed program may take to notice. */
const HELPERS_END_MS = 20_000;

/** Runs a program to its end, and to that of its helpers. */
export async function runProgram({ program, env, control }: LoadedProgram, options: RunOptions): Promise<ProgramRun> {
  const [command, ...args] = program.argv;
  // Armed before the program's number is known: the first process notes itself as the main one.
  control.arm(options.within, 0, options.strike);
  const child = spawn(command, args, { cwd: program.cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [exitCode, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  await helpersEnd(control);
  return { said, stderr, ended: { exitCode, signal }, calls: control.calls() };
}

/** Waits until every process of a program is gone. @throws Error naming those that stay */
export async function helpersEnd(control: ControlBlock): Promise<void> {
  const until = performance.now() + HELPERS_END_MS;
  for (;;) {
    const alive = control.processes().filter((pid) => existsSync(`/proc/${String(pid)}/exe`));
    if (alive.length === 0) return;
    if (performance.now() > until) throw new Error(`Processes outlive their program: ${alive.join(", ")}.`);
    await delay(5);
  }
}

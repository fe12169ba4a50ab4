/**
 * Runs a command and measures it with all that it starts. Bash does the exact part: its `time` and its own /proc/<pid>/io include
 * every process that was waited for, of a pipeline too. Only memory is sampled.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ProcessTree } from "./process-tree.mjs";

const WRAPPER = `
set -o pipefail
TIMEFORMAT='time %3R %3U %3S'
report=$1; shift
{ time { "$@" 2>&4; } } 4>&2 2>"$report"
status=$?
while read -r line; do echo "$line"; done </proc/$$/io >>"$report"
exit $status`;

const TIMEOUT_MS = 30 * 60_000;
const running = new Set();

// A benchmark that is broken off leaves nothing behind that goes on working.
process.on("exit", () => {
  for (const pid of running) killGroup(pid);
});

function killGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/**
 * @param command `argv`, or `shell`: a pipeline for bash; `cwd`, `env`: beside those of this process
 * @param scratch a folder for what is told on the way
 * @returns `measures` in ms and bytes, and what it printed
 * @throws when it fails, with what it said on standard error
 */
export async function runMeasured({ argv, shell, cwd, env, statuses = [0] }, { scratch, ignored, signal }) {
  const report = join(scratch, "measured.txt");
  const words = argv ?? ["eval", shell];
  const child = spawn("bash", ["-c", WRAPPER, "bash", report, ...words], {
    cwd,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child.pid);
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (text) => (output[name] += text));
  }
  const stop = () => killGroup(child.pid);
  const timer = setTimeout(stop, TIMEOUT_MS);
  signal?.addEventListener("abort", stop);
  const tree = new ProcessTree(child.pid, ignored);
  try {
    const [status] = await once(child, "close");
    if (!statuses.includes(status)) {
      throw new Error(`${words.join(" ")} ended with ${status ?? "a signal"}: ${output.stderr.trim().slice(-2_000)}`);
    }
    const measures = { ...parseReport(readFileSync(report, "utf8")), rssBytes: tree.rssBytes, pssBytes: tree.pssBytes };
    return { measures, stdout: output.stdout };
  } finally {
    tree[Symbol.dispose]();
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    running.delete(child.pid);
  }
}

function parseReport(text) {
  const [, wall, user, system] = /^time (\S+) (\S+) (\S+)$/m.exec(text) ?? [];
  const counter = (name) => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  return {
    wallMs: 1_000 * Number(wall),
    cpuMs: 1_000 * (Number(user) + Number(system)),
    // What was given to the disk, and what passed through calls: pipes are in the second.
    diskWrittenBytes: counter("write_bytes"),
    writtenBytes: counter("wchar"),
    readBytes: counter("rchar"),
  };
}

/**
 * What a command asks of the system, counted: files opened, syncs, processes, threads, bytes. Unlike times they are the same on a
 * machine that is slow or busy.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runMeasured } from "../measure/run-measured.mjs";

const OPENS = ["open", "openat", "openat2", "creat"];
const SYNCS = ["fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "msync"];
const STARTS = ["execve", "clone", "clone3", "vfork", "fork"];
const MIB = 1024 * 1024;

/** Not all of them exist on each architecture: strace passes over those with a question mark. */
const TRACED = [...OPENS, ...SYNCS, ...STARTS].map((name) => `?${name}`).join(",");

/** @returns counts by their names */
export async function countCalls({ argv, ...command }, { scratch, within }) {
  const trace = join(scratch, "trace.txt");
  const strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-s", "4096", "-e", "signal=none", "-e", `trace=${TRACED}`];
  const { measures } = await runMeasured(
    { ...command, argv: [...strace, "-o", trace, "--", ...argv] },
    { scratch, ignored: ["strace"] },
  );
  const text = readFileSync(trace, "utf8");
  rmSync(trace);
  return {
    ...countsOf(text, within),
    "bytes read": measures.readBytes,
    // strace's own report passes through the same counter.
    "bytes written": measures.writtenBytes - Buffer.byteLength(text),
    "MiB of memory": Math.ceil(measures.rssBytes / MIB),
  };
}

/** @param within the folder whose files count: what a program is made of is opened elsewhere */
export function countsOf(trace, within) {
  const counts = { "files opened": 0, syncs: 0, processes: 0, threads: 0 };
  const programs = new Set();
  for (const line of trace.split("\n")) {
    // A call that another thread interrupts takes two lines; the first has its name and what it is about.
    const [, pid, call, rest] = /^(\d+) +(\w+)\((.*)$/.exec(line) ?? [];
    if (call === undefined) continue;
    if (OPENS.includes(call) && isWithin(rest, within)) counts["files opened"] += 1;
    if (SYNCS.includes(call)) counts.syncs += 1;
    if (call === "execve") programs.add(pid);
    if (rest.includes("CLONE_THREAD")) counts.threads += 1;
  }
  return { ...counts, processes: programs.size };
}

/** git and others open by relative paths. */
function isWithin(call, folder) {
  const [, path] = /"([^"]*)"/.exec(call) ?? [];
  return path !== undefined && (!path.startsWith("/") || path === folder || path.startsWith(`${folder}/`));
}

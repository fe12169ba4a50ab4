import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process, told apart from every other that ever had or will have its number. */
export interface ProcessIdentity {
  /** where `pid` means something: one boot of one kernel, one pid namespace; of `[0-9a-z:.-]` */
  readonly host: string;
  readonly pid: number;
  /** when it started, in the kernel's ticks since boot; empty where the system does not say */
  readonly startedAt: string;
}

/** What can be said of a process. "unknown": it belongs to another host, or this one does not show it to us. */
export type Liveness = "alive" | "dead" | "unknown";

let self: ProcessIdentity | undefined;

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  self ??= { host: hostIdentity(), pid: process.pid, startedAt: lookAt(process.pid)?.startedAt ?? "" };
  return self;
}

/**
 * Whether a process still runs. A stopped one is alive; one that has exited and was not yet waited for is dead. Its start
 * time tells it from a later process of the same number.
 */
export function livenessOf(process: ProcessIdentity): Liveness {
  if (process.host !== ownIdentity().host) return "unknown";
  const seen = lookAt(process.pid);
  if (seen === undefined) return livenessBySignal(process.pid);
  if (seen.hasExited) return "dead";
  return process.startedAt === "" || seen.startedAt === process.startedAt ? "alive" : "dead";
}

/** Where there is no /proc, or it hides the processes of other users (mount option hidepid). */
function livenessBySignal(pid: number): Liveness {
  try {
    process.kill(pid, 0);
    return "alive";
  } catch (error) {
    // EPERM: there is such a process, and it may be another one than was meant.
    return error instanceof Error && "code" in error && error.code === "ESRCH" ? "dead" : "unknown";
  }
}

/**
 * Machine ids are copied with images and containers, so two hosts may share one: the boot id is the kernel's own. Numbers of
 * a process differ between pid namespaces, and start times between time namespaces.
 */
function hostIdentity(): string {
  const boot = readText("/proc/sys/kernel/random/boot_id");
  if (boot === undefined)
    return `host:${hostname()
      .toLowerCase()
      .replaceAll(/[^0-9a-z.-]/g, "-")}`;
  return ["boot", boot.trim(), namespace("pid"), namespace("time")].join(":");
}

function namespace(kind: "pid" | "time"): string {
  try {
    return /\d+/.exec(readlinkSync(`/proc/self/ns/${kind}`))?.[0] ?? "0";
  } catch {
    return "0";
  }
}

interface ProcessFacts {
  readonly startedAt: string;
  readonly hasExited: boolean;
}

/** Reads /proc/<pid>/stat, see proc_pid_stat(5): field 3 is the state, field 22 the start time. */
function lookAt(pid: number): ProcessFacts | undefined {
  const stat = readText(`/proc/${String(pid)}/stat`);
  if (stat === undefined) return undefined;
  // Field 2, the program's name, is in parentheses and may hold blanks and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startedAt] = [fields[0], fields[19]];
  if (state === undefined || startedAt === undefined) return undefined;
  return { startedAt, hasExited: "ZXx".includes(state) };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

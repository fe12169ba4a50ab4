import { existsSync, readdirSync, statSync, type BigIntStats } from "node:fs";
import { KeepsakeError } from "@keepsake/core/basics";
import { type FileIdentity, identityOf, lockHolders, textOf } from "../lock-holders.js";
import { isLocked } from "./lock-probe.js";
import { SIDECARS } from "../sidecars.js";

/** A process that has a database open. */
export interface Holder {
  /** undefined: a lock shows that there is one, and the system does not tell which */
  readonly pid: number | undefined;
  /** the program's name, where the system tells */
  readonly program: string | undefined;
}

/**
 * Who has the database or one of its sidecars open, this process left out. Linux tells: through the descriptors of every
 * process (those of other users only to root), and through the locks, which a connection to a write-ahead log keeps for as
 * long as it is open (proc(5), `/proc/locks`). Elsewhere, and for those that are hidden, a lock that cannot be had tells.
 */
export function holdersOf(database: string): readonly Holder[] {
  const files = [database, ...SIDECARS.map((suffix) => `${database}${suffix}`)].flatMap(
    (file) => identityOf(file) ?? [],
  );
  if (files.length === 0) return [];
  const pids = new Set([...byDescriptors(files), ...lockHolders(files)]);
  pids.delete(process.pid);
  if (pids.size === 0) return isLocked(database) ? [{ pid: undefined, program: undefined }] : [];
  return [...pids].sort((a, b) => a - b).map((pid) => ({ pid, program: programOf(pid) }));
}

/** False where the system does not say which process has a file open: only Linux does. */
export function canTellHolders(): boolean {
  return existsSync("/proc/self/fd");
}

/** @throws KeepsakeError `E_LIVE_HOLDER` naming every process that has one of the databases open */
export function refuseHolders(databases: readonly string[]): void {
  for (const database of databases) {
    const holders = holdersOf(database);
    if (holders.length > 0) throw liveHolder(database, holders);
  }
}

export function liveHolder(database: string, holders: readonly Holder[], hint = WAYS_OUT): KeepsakeError {
  const pids = holders.flatMap(({ pid }) => pid ?? []);
  const names = holders.flatMap(({ pid, program }) =>
    pid === undefined ? [] : [program === undefined ? String(pid) : `${String(pid)} (${program})`],
  );
  const where = names.length === 0 ? "another process" : `process ${names.join(", ")}`;
  return new KeepsakeError("E_LIVE_HOLDER", `The database ${database} is open in ${where}.`, {
    context: { database, pids },
    hint,
  });
}

const WAYS_OUT = "Stop the agent first, or use --live to write through the open database.";

function* byDescriptors(files: readonly FileIdentity[]): Generator<number> {
  for (const pid of namesIn("/proc").filter((name) => /^\d+$/.test(name))) {
    const folder = `/proc/${pid}/fd`;
    const open = namesIn(folder).some((fd) => {
      const stats = statOf(`${folder}/${fd}`);
      return files.some(({ dev, ino }) => stats?.dev === dev && stats.ino === ino);
    });
    if (open) yield Number(pid);
  }
}

function programOf(pid: number): string | undefined {
  return textOf(`/proc/${String(pid)}/comm`).trim() || undefined;
}

// What is asked of other processes may vanish or be closed to us at any time: then it tells nothing.

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

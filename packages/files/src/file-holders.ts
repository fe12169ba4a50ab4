import { type BigIntStats, existsSync, lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { KeepsakeError } from "@keepsake/core/basics";
import type { FsPath } from "./fs-path.js";

/** Tells a file from all others. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** A process that has a file open. */
export interface Holder {
  /** undefined: a lock shows that there is one, and the system does not tell which */
  readonly pid: number | undefined;
  /** the program's name, where the system tells */
  readonly program: string | undefined;
}

/** A regular file's identity; undefined where there is none. */
export function identityOf(file: FsPath): FileIdentity | undefined {
  try {
    const stats = lstatSync(file, { bigint: true });
    return stats.isFile() ? { dev: stats.dev, ino: stats.ino } : undefined;
  } catch {
    return undefined;
  }
}

/** False where the system does not say which process has a file open: only Linux does. */
export function canTellHolders(): boolean {
  return existsSync("/proc/self/fd");
}

/**
 * The processes that have one of these files open or locked, for each file that somebody has. Linux tells: through the
 * descriptors of every process (those of other users only to root), and through the locks (proc(5), `/proc/locks`).
 */
export function holdersOfFiles<T extends FileIdentity>(files: readonly T[]): ReadonlyMap<T, ReadonlySet<number>> {
  const known = byKey(files);
  const holders = new Map<T, Set<number>>();
  const note = (key: string, pid: number): void => {
    const file = known.get(key);
    if (file !== undefined) holders.set(file, (holders.get(file) ?? new Set()).add(pid));
  };
  if (files.length === 0) return holders;
  for (const pid of namesIn("/proc").filter((name) => /^\d+$/.test(name))) {
    const folder = `/proc/${pid}/fd`;
    for (const descriptor of namesIn(folder)) {
      const stats = statOf(`${folder}/${descriptor}`);
      if (stats?.isFile() === true) note(keyOf(stats), Number(pid));
    }
  }
  for (const { pid, key } of locks()) note(key, pid);
  return holders;
}

/** The processes that have a lock on one of these files, as far as the system tells: only Linux does. */
export function lockHolders(files: readonly FileIdentity[]): ReadonlySet<number> {
  const known = byKey(files);
  return new Set([...locks()].filter(({ key }) => known.has(key)).map(({ pid }) => pid));
}

/**
 * A test for files that this process has locked. To open and close such a file would drop the lock: POSIX has one per
 * process, not per descriptor (sqlite.org/howtocorrupt.html, section 2.2).
 */
export function lockedHere(): (file: { readonly dev: number | bigint; readonly ino: number | bigint }) => boolean {
  const keys = new Set([...locks()].filter(({ pid }) => pid === process.pid).map(({ key }) => key));
  return (file) => keys.size > 0 && keys.has(keyOf(file));
}

export function namedHolders(pids: Iterable<number>): readonly Holder[] {
  return [...pids].sort((a, b) => a - b).map((pid) => ({ pid, program: programOf(pid) }));
}

/** The refusal to take the place of a database that others have open. */
export function liveHolder(database: string, holders: readonly Holder[], hint: string): KeepsakeError {
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

function byKey<T extends FileIdentity>(files: readonly T[]): ReadonlyMap<string, T> {
  return new Map(files.map((file) => [keyOf(file), file]));
}

function keyOf({ dev, ino }: { readonly dev: number | bigint; readonly ino: number | bigint }): string {
  return `${String(dev)}:${String(ino)}`;
}

function* locks(): Generator<{ readonly pid: number; readonly key: string }> {
  // "1: POSIX  ADVISORY  READ 1234 fe:01:56789 128 128": the device's numbers are hexadecimal.
  for (const line of textOf("/proc/locks").split("\n")) {
    const match = /\s(\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /.exec(line);
    if (match === null) continue;
    const [, pid = "", major = "", minor = "", ino = ""] = match;
    const dev = deviceNumber(BigInt(`0x${major}`), BigInt(`0x${minor}`));
    yield { pid: Number(pid), key: keyOf({ dev, ino: BigInt(ino) }) };
  }
}

/** Linux's `makedev(3)`. */
function deviceNumber(major: bigint, minor: bigint): bigint {
  return ((major & 0xfffff000n) << 32n) | ((major & 0xfffn) << 8n) | ((minor & 0xffffff00n) << 12n) | (minor & 0xffn);
}

function programOf(pid: number): string | undefined {
  return textOf(`/proc/${String(pid)}/comm`).trim() || undefined;
}

// What is asked of other processes may vanish or be closed to us at any time: then it tells nothing.

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

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

import type { DiskCall, DiskFault } from "./disk-fault.js";

/** A call at which something is made to happen, and how many calls it stands for. */
export interface DiskPoint {
  readonly call: DiskCall;
  /** 1, or more of a run of writes into one file */
  readonly standsFor: number;
  /** The call before it synced: a process that is killed here leaves what it leaves when it is killed there. */
  readonly followsSync: boolean;
}

const WRITES = /^p?writev?(?:64)?$/;
const SYNCS = /^f(?:data)?sync$/;

/**
 * The points of a run: every call; of writes into one file with nothing in between the first, one in the middle and the
 * last, because a file is not more or less unfinished for one of them.
 */
export function pointsOf(calls: readonly DiskCall[]): readonly DiskPoint[] {
  const syncs = new Set(calls.flatMap(({ name, ordinal }) => (SYNCS.test(name) ? [ordinal] : [])));
  return runsOfWrites(calls)
    .flatMap(pointsOfRun)
    .map((point) => ({ ...point, followsSync: syncs.has(point.call.ordinal - 1) }));
}

function runsOfWrites(calls: readonly DiskCall[]): DiskCall[][] {
  const runs: DiskCall[][] = [];
  for (const call of calls) {
    const run = runs.at(-1);
    if (run?.every((other) => isWriteLike(call, other)) === true) run.push(call);
    else runs.push([call]);
  }
  return runs;
}

function isWriteLike(call: DiskCall, other: DiskCall): boolean {
  return WRITES.test(call.name) && call.name === other.name && call.path === other.path && call.pid === other.pid;
}

function pointsOfRun(run: readonly DiskCall[]): readonly Omit<DiskPoint, "followsSync">[] {
  if (run.length <= 3) return run.map((call) => ({ call, standsFor: 1 }));
  const chosen = [run[0], run[run.length >> 1], run.at(-1)].flatMap((call) => call ?? []);
  return chosen.map((call, index) => ({ call, standsFor: index === 1 ? run.length - 2 : 1 }));
}

/** Whether a fault is one that can happen to a call, and is not the same as that before. */
export function canHappen({ call, followsSync }: DiskPoint, fault: DiskFault): boolean {
  // The parent's own calls are those of "caller".
  if ("kill" in fault) return !followsSync && (fault.kill === "caller" || call.inHelper);
  if ("short" in fault) return (call.bytes ?? 0) > 1;
  return fault.error !== "ENOSPC" || call.takesRoom;
}

/** At most `count` of them, evenly spread, the first and the last among them. */
export function spread<T>(all: readonly T[], count: number): readonly T[] {
  if (all.length <= count) return all;
  const step = (all.length - 1) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_value, index) => all[Math.round(index * step)]).flatMap((item) => item ?? []);
}

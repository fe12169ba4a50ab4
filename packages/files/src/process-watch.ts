import { readdirSync, readFileSync } from "node:fs";

/** More than the closing of a file takes, in the clock ticks (10 ms) of proc_pid_stat(5). */
const BUSY_TICKS = 3;

/**
 * Tells processes that go on living from those that may be about to let something go. Letting go is work, and little of it: who
 * sleeps is not at it, nor who has worked for longer than that since the first look. Who waits for a processor or a disk may be.
 */
export class ProcessWatch {
  readonly #firstTicks = new Map<number, number>();

  /** True as well where the system does not tell, and of this process, which is not at it while it asks. */
  seesLiving(pid: number): boolean {
    if (pid === process.pid) return true;
    const threads = threadsOf(pid);
    if (threads.every(({ state }) => state === "S")) return true;
    const ticks = threads.reduce((sum, thread) => sum + thread.ticks, 0);
    const first = this.#firstTicks.get(pid) ?? ticks;
    this.#firstTicks.set(pid, first);
    return ticks - first >= BUSY_TICKS;
  }
}

interface Thread {
  readonly state: string | undefined;
  /** how long it has worked */
  readonly ticks: number;
}

/** Reads /proc/<pid>/task/<tid>/stat, see proc_pid_stat(5): field 3 is the state, 14 and 15 the times in and below user mode. */
function threadsOf(pid: number): Thread[] {
  const folder = `/proc/${String(pid)}/task`;
  return (ifTold(() => readdirSync(folder)) ?? []).flatMap((tid) => {
    const stat = ifTold(() => readFileSync(`${folder}/${tid}/stat`, "latin1"));
    if (stat === undefined) return [];
    // Field 2, the program's name, is in parentheses and may hold blanks and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [{ state: fields[0], ticks: Number(fields[11]) + Number(fields[12]) }];
  });
}

/** Undefined for what has ended meanwhile, or is closed to us. */
function ifTold<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

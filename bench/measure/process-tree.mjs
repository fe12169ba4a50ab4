/** Memory of a process and of all that it started, from /proc. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const PAGE_BYTES = Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" }));
const KIB = 1024;

/** @returns what /proc has in a file, or nothing when the process is gone */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function tasksOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Children are told by the thread that started them. */
function childrenOf(pid) {
  return tasksOf(pid).flatMap((task) => read(`/proc/${pid}/task/${task}/children`).split(" ").filter(Boolean));
}

/** All that a process started, and what that started; not the process itself. */
function descendantsOf(pid) {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

function rssOf(pid) {
  const [, resident = "0"] = read(`/proc/${pid}/statm`).split(" ");
  return Number(resident) * PAGE_BYTES;
}

function pssOf(pid) {
  const [, kib = "0"] = /^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`)) ?? [];
  return Number(kib) * KIB;
}

const sum = (numbers) => numbers.reduce((all, number) => all + number, 0);

/**
 * Looks every 20 ms at what runs below a process. RSS counts pages that processes share once for each; PSS counts them once, and is
 * read when RSS is at a new height, because the kernel has to walk all pages for it.
 */
export class ProcessTree {
  #root;
  #ignored;
  #timer;
  rssBytes = 0;
  pssBytes = 0;

  /** @param ignored names of programs that measure and are not measured */
  constructor(root, ignored = []) {
    this.#root = root;
    this.#ignored = new Set(ignored);
    this.#timer = setInterval(() => this.#look(), 20);
  }

  #look() {
    const pids = descendantsOf(this.#root).filter((pid) => !this.#ignored.has(read(`/proc/${pid}/comm`).trim()));
    const rss = sum(pids.map(rssOf));
    if (rss <= this.rssBytes) return;
    if (rss > this.rssBytes * 1.02) this.pssBytes = Math.max(this.pssBytes, sum(pids.map(pssOf)));
    this.rssBytes = rss;
  }

  [Symbol.dispose]() {
    clearInterval(this.#timer);
  }
}

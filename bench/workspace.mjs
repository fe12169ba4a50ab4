/** The folders of a benchmark, all in one that is removed at its end. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { changeMemory, makeMemory, wreckMemory } from "./memories/make-memory.mjs";
import { runQuietly, sizeOf } from "./peers/programs.mjs";

/** So much of a disk is left to others. */
const FREE_SHARE = 0.1;

export class Workspace {
  #size;
  #changes = 0;
  #folders = 0;
  dir;
  memory;
  scratch;

  /** @param parent where the folder is made: what is there decides what is measured, a disk or memory */
  constructor(size, parent = tmpdir()) {
    this.#size = size;
    this.dir = realpathSync(mkdtempSync(join(parent, "keepsake-bench-")));
    this.memory = join(this.dir, "memory");
    this.scratch = join(this.dir, "scratch");
    mkdirSync(this.scratch);
    process.on("exit", this.#removeAll);
  }

  /** @returns what all files of the memory are and hold */
  make() {
    makeMemory(this.memory, this.#size);
    return sizeOf(this.memory);
  }

  change() {
    this.#changes += 1;
    changeMemory(this.memory, this.#size, this.#changes);
  }

  /** @returns a folder that is not there yet */
  freshPath(name) {
    this.#folders += 1;
    return join(this.dir, `${name}-${this.#folders}`);
  }

  copyOf(dir, name) {
    const copy = this.freshPath(name);
    runQuietly(["cp", "-a", dir, copy]);
    return copy;
  }

  /** @returns a changed copy of the memory, the same one each time: it is to be copied */
  wrecked() {
    const wrecked = join(this.dir, "wrecked");
    if (existsSync(wrecked)) return wrecked;
    runQuietly(["cp", "-a", this.memory, wrecked]);
    wreckMemory(wrecked, this.#size);
    return wrecked;
  }

  /**
   * A tree that is not needed any more. It stays until the end where there is room: for minutes after files were removed, ext4
   * takes ten times as long to make new ones (it gives no inode again that was just freed), whoever makes them.
   */
  leave(dir) {
    const { bavail, blocks } = statfsSync(this.dir);
    if (bavail < FREE_SHARE * blocks) this.remove(dir);
  }

  remove(dir) {
    rmSync(dir, { recursive: true, force: true });
  }

  #removeAll = () => this.remove(this.dir);

  [Symbol.dispose]() {
    process.off("exit", this.#removeAll);
    this.#removeAll();
  }
}

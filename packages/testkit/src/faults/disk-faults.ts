import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type TempDir, tempDir } from "../temp-dir.js";
import { ControlBlock } from "./control-block.js";
import type { LoadedProgram, Program, ProgramRun, RunOptions } from "./program.js";
import { ResidentProgram } from "./resident-program.js";
import { runProgram } from "./run-program.js";

const SOURCE = fileURLToPath(new URL("../../native/interpose.c", import.meta.url));

/** Runs programs whose calls to the disk are counted, and go wrong where one wants. */
export class DiskFaults implements AsyncDisposable {
  readonly #temp: TempDir;
  readonly #library: string;
  #programs = 0;

  private constructor(temp: TempDir, library: string) {
    this.#temp = temp;
    this.#library = library;
  }

  /**
   * Compiles what is put between programs and the C library.
   *
   * @throws Error saying what is missing: it needs Linux, and a C compiler named `cc`, or as `CC` in the environment says
   */
  static async prepare(): Promise<DiskFaults> {
    if (process.platform !== "linux") throw new Error(`Disk faults need Linux; this is ${process.platform}.`);
    const temp = await tempDir();
    const library = temp.join("interpose.so");
    const compiler = process.env["CC"] ?? "cc";
    try {
      await promisify(execFile)(compiler, ["-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"]);
    } catch (error) {
      await temp[Symbol.asyncDispose]();
      throw new Error(`Disk faults need a C compiler, and ${compiler} did not do: ${String(error)}`, { cause: error });
    }
    return new DiskFaults(temp, library);
  }

  /** Runs a program to its end, and to that of the helpers it started. */
  run(program: Program, options: RunOptions): Promise<ProgramRun> {
    return runProgram(this.#load(program), options);
  }

  /** Starts a program that answers lines, to be struck many times. */
  resident(program: Program): ResidentProgram {
    return new ResidentProgram(() => this.#load(program));
  }

  #load(program: Program): LoadedProgram {
    const dir = this.#temp.join(String(this.#programs++));
    mkdirSync(dir);
    const control = new ControlBlock(dir);
    const env = {
      ...process.env,
      // One thread for files, and none of the kernel's own: calls come in the same order in every run.
      UV_THREADPOOL_SIZE: "1",
      UV_USE_IO_URING: "0",
      NODE_OPTIONS: "",
      ...program.env,
      ...control.env,
      LD_PRELOAD: this.#library,
    };
    return { program, env, control };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#temp[Symbol.asyncDispose]();
  }
}

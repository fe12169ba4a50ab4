import type { ControlBlock } from "./control-block.js";
import type { DiskCall, Strike } from "./disk-fault.js";

/** A program: what is run, with what in its environment beside that of this process. */
export interface Program {
  /** the program and its arguments; one at least */
  readonly argv: readonly [string, ...(readonly string[])];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Where calls are counted, and which of them goes wrong. */
export interface RunOptions {
  /** an absolute path without symbolic links: calls at it and below it count */
  readonly within: string;
  readonly strike?: Strike | undefined;
}

/** What came of a run. */
export interface ProgramRun {
  /** what it wrote to standard output; of a resident program the one line of its answer, empty when it ended instead */
  readonly said: string;
  readonly stderr: string;
  /** undefined while a resident program goes on */
  readonly ended?: { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null };
  /** every call that counted, in order */
  readonly calls: readonly DiskCall[];
}

/** A program with all that it needs to be struck. */
export interface LoadedProgram {
  readonly program: Program;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly control: ControlBlock;
}

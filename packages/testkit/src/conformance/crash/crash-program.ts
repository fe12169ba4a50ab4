import { fileURLToPath, pathToFileURL } from "node:url";
import { isErrorCode, type JsonValue } from "@keepsake/core";
import type { DiskCall, DiskFault } from "../../faults/disk-fault.js";
import { DiskFaults } from "../../faults/disk-faults.js";
import type { ResidentProgram } from "../../faults/resident-program.js";
import { type Struck, sweep } from "../../faults/sweep.js";
import { check } from "../expectations.js";

/**
 * How another process opens the place of a subject: it is then killed, or fails, at the calls by which it changes the disk.
 * Needs Linux and a C compiler named `cc`, or as `CC` in the environment says.
 */
export interface CrashProgram {
  /** path or file URL of a module whose export `open` gives the store or the lock manager, or a promise of it */
  readonly module: string | URL;
  /** what `open` is given, as plain JSON: where the place is */
  readonly argument: JsonValue;
  /** an absolute path without symbolic links: calls at it and below it are struck */
  readonly within: string;
}

/** What the process is asked to do, with the key of each strike and what it may write. */
export interface CrashOrder {
  readonly do: "put" | "replace" | "delete" | "lock";
  readonly key: string;
  readonly text?: string;
}

/** One sweep over a program. */
export interface CrashSweep {
  /** makes what a strike is on, under a name of its own; @returns what is asked */
  readonly prepare: (strike: number) => Promise<CrashOrder>;
  /** Looks at what is left; what it throws is a failure. */
  readonly judge: (order: CrashOrder, struck: Struck) => Promise<void>;
}

/** What happens at the calls of a store or of locks. */
export const CRASH_FAULTS: readonly DiskFault[] = [
  { kill: "caller" },
  { error: "EIO" },
  { error: "ENOSPC", thenOn: true },
  { short: true },
];

/** What a case of crashes needs of its subject. */
export const NEEDS_CRASH = {
  capability: "crash",
  async inverse({ crash }: { readonly crash?: CrashProgram | undefined }): Promise<void> {
    check(crash === undefined, "A subject without a program of its own has no `crash`.");
  },
};

const PROGRAM = fileURLToPath(new URL("./answer.js", import.meta.url));
/** A case may take a minute, and what was killed is started again. */
const POINTS_OF_EACH = 8;

/** The calls of one order that nothing strikes. @throws AssertionError unless it is done */
export async function callsOf(program: CrashProgram, order: CrashOrder): Promise<readonly DiskCall[]> {
  await using faults = await DiskFaults.prepare();
  await using resident = residentOf(faults, program);
  const { said, stderr, calls } = await resident.ask(JSON.stringify({ ...order, argument: program.argument }), {
    within: program.within,
  });
  check(said.trim() === "done", `The ${order.do} of another process was not done: ${said} ${stderr}`);
  return calls;
}

function residentOf(faults: DiskFaults, { module }: CrashProgram): ResidentProgram {
  const url = module instanceof URL ? module : pathToFileURL(module);
  return faults.resident({ argv: [process.execPath, PROGRAM, url.href] });
}

/** Runs the sweeps one after the other. @throws AssertionError with every failure */
export async function crashAt(program: CrashProgram, sweeps: readonly CrashSweep[]): Promise<void> {
  await using faults = await DiskFaults.prepare();
  await using resident = residentOf(faults, program);
  const failures: string[] = [];
  let strikes = 0;
  for (const { prepare, judge } of sweeps) {
    const report = await sweep({
      name: "it",
      faults: CRASH_FAULTS,
      pointsOfEach: POINTS_OF_EACH,
      prepare: async () => ({ order: await prepare(strikes++), [Symbol.asyncDispose]: async () => undefined }),
      run: ({ order }, strike) =>
        resident.ask(JSON.stringify({ ...order, argument: program.argument }), { within: program.within, strike }),
      async judge({ order }, struck) {
        const { said, stderr } = struck.run;
        check(stderr === "", `It wrote to standard error: ${stderr}`);
        if (!("kill" in struck.fault)) check(isAnswer(said), `It neither did it nor failed with a code: ${said}`);
        await judge(order, struck);
      },
    });
    failures.push(...report.failures);
  }
  check(failures.length === 0, failures.join("\n"));
}

function isAnswer(said: string): boolean {
  return /^(?:done|[0-9]+)$/.test(said) || (isErrorCode(said) && said !== "E_INTERNAL");
}

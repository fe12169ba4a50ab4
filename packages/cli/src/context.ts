import type { StoreTrouble } from "@keepsake/core";
import type { Output } from "./output/output.js";
import type { Terminal } from "./terminal.js";

/** The options that every command takes, before or after its name. */
export interface GlobalOptions {
  readonly config?: string;
  readonly root?: string;
  readonly tenant?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** false after `--no-color` */
  readonly color?: boolean;
}

/** What a command is given to work with. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly global: GlobalOptions;
  readonly output: Output;
  /** fires on the first SIGINT, SIGTERM or SIGHUP */
  readonly signal: AbortSignal;
  /** what went wrong in parts of stores although the command did what it was asked; it then ends with 3 */
  readonly troubles: StoreTrouble[];
  /** why parts could not be closed, although the command did what it was asked; it then ends as that error says */
  readonly closingErrors: unknown[];
  /** milliseconds since 1970, for ages */
  readonly nowMs: number;
}

/** A command: its options, its arguments as far as they were given; resolves with the exit code. */
export type CommandRun<Options> = (
  context: CommandContext,
  options: Options,
  ...args: readonly (string | undefined)[]
) => Promise<number>;

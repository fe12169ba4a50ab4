import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { CommandContext, CommandRun, GlobalOptions } from "./context.js";
import type { Bind } from "./grammar/bind.js";
import { addHouseCommands } from "./grammar/house-commands.js";
import { addSnapshotCommands } from "./grammar/snapshot-commands.js";
import type { Terminal } from "./terminal.js";

/** Where a command leaves its exit code. */
export interface Outcome {
  exitCode: number;
}

/** The whole grammar. */
export function createProgram(
  terminal: Terminal,
  outcome: Outcome,
  contextOf: (global: GlobalOptions) => CommandContext,
): Command {
  const program = new Command("keepsake");
  program
    .description("Atomic, verifiable, point-in-time snapshots of an AI agent's memory, and the way back.")
    .version(ownVersion(), "-V, --version", "print the version")
    .option("--config <file>", "configuration (else $KEEPSAKE_CONFIG, else keepsake.config.{yaml,yml,json,mjs} here)")
    .option("--root <dir>", "state root: local store, locks, journals (else $KEEPSAKE_ROOT)")
    .option("--tenant <tenant>", 'tenant (default "default")')
    .option("--json", "print exactly one JSON document")
    .option("--quiet", "print ids alone, or nothing")
    .option("--verbose", "log what is done, and where errors come from")
    .option("--no-color", "no colours (as does $NO_COLOR)")
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      // Errors are said in one place, with a code; what is left is the help of a command line without a command.
      writeErr: (text) => {
        if (!text.startsWith("error:") && program.opts<GlobalOptions>().json !== true) terminal.stderr.write(text);
      },
      outputError: () => undefined,
    });

  const bind: Bind = <Options>(command: Command, load: () => Promise<CommandRun<Options>>): void => {
    command.action(async (...parameters: unknown[]) => {
      const args = parameters.slice(0, -2) as (string | undefined)[];
      const run = await load();
      const context = contextOf(program.opts<GlobalOptions>());
      outcome.exitCode = await run(context, command.opts() as Options, ...args);
      if (context.troubles.length > 0) {
        const { tellTroubles } = await import("./render/troubles.js");
        outcome.exitCode = tellTroubles(context, outcome.exitCode);
      }
      if (context.closingErrors.length > 0) throw context.closingErrors[0];
    });
  };
  addSnapshotCommands(program, bind);
  addHouseCommands(program, bind);
  return program;
}

function ownVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

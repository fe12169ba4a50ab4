import type { CommandContext } from "./context.js";
import { Interrupts } from "./interrupts.js";
import { Output } from "./output/output.js";
import { styleFor } from "./output/style.js";
import { createProgram, type Outcome } from "./program.js";
import type { Terminal } from "./terminal.js";

/**
 * Runs one command line and says everything there is to say.
 *
 * @param argv what stands after the program's name
 * @returns the exit code; never rejects
 */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  ignoreBrokenPipes(terminal);
  const flags = earlyFlags(argv);
  using interrupts = new Interrupts(() => {
    if (!flags.json) terminal.stderr.write("\nAborting cleanly; once more to stop at once.\n");
  });
  try {
    const outcome: Outcome = { exitCode: 0 };
    const program = createProgram(
      terminal,
      outcome,
      (global): CommandContext => ({
        terminal,
        global,
        output: new Output(terminal, {
          json: global.json === true,
          quiet: global.quiet === true,
          color: global.color !== false,
        }),
        signal: interrupts.signal,
        troubles: [],
        closingErrors: [],
        // As of when it is asked: a command may take long, and what it has made is not in the future.
        get nowMs() {
          return Date.now();
        },
      }),
    );
    const { parseCommandLine } = await import("./grammar/parse.js");
    await parseCommandLine(program, argv);
    return outcome.exitCode;
  } catch (error) {
    return await reportError(error, argv, terminal);
  }
}

/**
 * Says an error on stderr, as `--json` and the other options want it.
 *
 * @returns its exit code
 */
export async function reportError(error: unknown, argv: readonly string[], terminal: Terminal): Promise<number> {
  // Loaded only now: `--help` and `--version` need none of it.
  const [{ exitCodeOf }, { errorDocument }, { printError }] = await Promise.all([
    import("./errors/exit-code.js"),
    import("./errors/describe-error.js"),
    import("./errors/print-error.js"),
  ]);
  const flags = earlyFlags(argv);
  const style = styleFor(terminal.stderr, terminal.env, !flags.noColor);
  if (flags.json) terminal.stderr.write(`${JSON.stringify(errorDocument(error))}\n`);
  else terminal.stderr.write(printError(error, style, flags.verbose));
  return exitCodeOf(error);
}

/** What errors have to know, also those of a command line that could not be parsed. */
function earlyFlags(argv: readonly string[]) {
  const end = argv.indexOf("--");
  const options = new Set(end === -1 ? argv : argv.slice(0, end));
  return { json: options.has("--json"), verbose: options.has("--verbose"), noColor: options.has("--no-color") };
}

/** `keepsake list | head -1` closes the pipe early: no reason to fail, nor to stop what is being done. */
function ignoreBrokenPipes(terminal: Terminal): void {
  for (const stream of [terminal.stdout, terminal.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") process.exit(1);
    });
  }
}

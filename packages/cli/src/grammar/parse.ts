import { type Command, CommanderError } from "commander";
import { refuseSecrets } from "./secrets.js";
import { usageError } from "./usage-error.js";

/**
 * Parses the command line and runs the command.
 *
 * @throws KeepsakeError `E_USAGE` when it is wrong, and what the command throws
 */
export async function parseCommandLine(program: Command, argv: readonly string[]): Promise<void> {
  await refuseSecrets(argv);
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    throw await usageError(sentenceOf(error));
  }
}

function sentenceOf(error: CommanderError): string {
  // Without a command commander prints its help where errors go, and says no more.
  if (error.code === "commander.help") return "A command is needed.";
  const text = error.message.replace(/^error: /, "").replace(/\n\(Did you mean (.*)\?\)$/, "; did you mean $1?");
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(sentence) ? sentence : `${sentence}.`;
}

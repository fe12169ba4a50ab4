import type { CommandContext } from "../context.js";
import { exitOf } from "../errors/exit-code.js";
import { printable } from "../output/printable.js";
import { countText } from "../output/units.js";

/**
 * Says which stores did not take part, beside what the command printed.
 *
 * @returns the exit code: that of the command where it is not 0 already
 */
export function tellTroubles({ output, troubles }: CommandContext, exitCode: number): number {
  const title = `Done, but not in every store: ${countText(troubles.length, "trouble")}.`;
  output.incomplete(
    {
      code: "E_INCOMPLETE",
      message: title,
      hint: "`keepsake doctor` says more. When the store is back, `keepsake sync` copies what it missed.",
      context: { stores: troubles.map((trouble) => ({ ...trouble })) },
    },
    [
      output.noteStyle.yellow(title),
      ...troubles.map(({ message }) => `  ${printable(message)}`),
      "When the store is back, `keepsake sync` copies what it missed.",
    ],
  );
  return exitCode === 0 ? exitOf("E_INCOMPLETE") : exitCode;
}

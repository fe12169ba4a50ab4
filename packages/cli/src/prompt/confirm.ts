import { KeepsakeError } from "@keepsake/core";
import type { CommandContext } from "../context.js";

/** What is about to be done. */
export interface Question {
  /** what will happen, shown above the question; ends with a line feed, or is empty */
  readonly plan: string;
  /** the question itself: "Delete snapshot 0199…?" */
  readonly question: string;
  /** the sentence of the refusal: "Deleting a snapshot" */
  readonly action: string;
}

/**
 * Asks on a terminal whether something destructive shall be done.
 *
 * @throws KeepsakeError `E_CONFIRMATION` when the answer is no, or nobody can be asked; an AbortError on Ctrl-C
 */
export async function confirmDestruction(context: CommandContext, { plan, question, action }: Question): Promise<void> {
  const { stdin, stderr } = context.terminal;
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new KeepsakeError("E_CONFIRMATION", `${action} has to be confirmed, and there is no terminal to ask on.`, {
      hint: "Repeat it with --yes.",
    });
  }
  const { confirm, isCancel } = await import("@clack/prompts");
  if (plan !== "") stderr.write(plan);
  const answer = await confirm({
    message: question,
    initialValue: false,
    input: stdin,
    output: stderr,
    signal: context.signal,
  });
  if (isCancel(answer)) throw new DOMException("The question was not answered.", "AbortError");
  if (!answer) throw new KeepsakeError("E_CONFIRMATION", `${action} was not confirmed; nothing was changed.`);
}

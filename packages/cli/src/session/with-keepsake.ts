import type { OperationOptions } from "@keepsake/engine";
import type { Keepsake } from "@keepsake/runtime";
import type { CommandContext } from "../context.js";
import { ProgressBar } from "../output/progress.js";
import { openSession } from "./open-session.js";
import { warnOfProcessBound } from "./process-bound.js";

/**
 * Opens Keepsake as the global options say, works with it, and closes it, whatever happens.
 * Long work shows its progress on a terminal.
 */
export async function withKeepsake<T>(
  context: CommandContext,
  work: (keepsake: Keepsake, options: OperationOptions) => Promise<T>,
): Promise<T> {
  const { stderr } = context.terminal;
  const bar = stderr.isTTY && context.global.quiet !== true ? new ProgressBar(stderr) : undefined;
  const keepsake = await openSession(context, (write) => {
    bar?.clear();
    write();
  });
  try {
    context.signal.throwIfAborted();
    warnOfProcessBound(context, keepsake);
    return await work(keepsake, { signal: context.signal, onProgress: bar?.update });
  } finally {
    context.troubles.push(...keepsake.takeStoreTroubles());
    bar?.clear();
    // What was done is done, and is said: a part that cannot be closed is named afterwards.
    try {
      await keepsake[Symbol.asyncDispose]();
    } catch (error) {
      context.closingErrors.push(error);
    }
  }
}

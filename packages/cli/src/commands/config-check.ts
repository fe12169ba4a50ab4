import type { KeepsakeError } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import type { NoOptions } from "../grammar/options.js";
import { printable } from "../output/printable.js";
import { openSession } from "../session/open-session.js";
import { warnOfProcessBound } from "../session/process-bound.js";

/** `config check`: loads and makes everything the configuration names; a wrong one is the error, with every problem. */
export const configCheck: CommandRun<NoOptions> = async (context) => {
  await using keepsake = await openSession(context);
  warnOfProcessBound(context, keepsake);
  const error = await together(await keepsake.tryParts(), keepsake.configFile);
  if (error !== undefined) throw error;
  const file = keepsake.configFile;
  context.output.result({
    json: { ok: true, file: file ?? null, state_root: keepsake.config.state_root },
    human: () =>
      file === undefined
        ? "There is no configuration file; the defaults apply.\n"
        : `${printable(file)} is in order.\n`,
  });
  return 0;
};

async function together(
  errors: readonly KeepsakeError[],
  file: string | undefined,
): Promise<KeepsakeError | undefined> {
  const { togetherError } = await import("@keepsake/runtime");
  return togetherError(errors, file);
}

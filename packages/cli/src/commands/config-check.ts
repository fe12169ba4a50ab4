import type { CommandRun } from "../context.js";
import type { NoOptions } from "../grammar/options.js";
import { printable } from "../output/printable.js";
import { openSession } from "../session/open-session.js";

/** `config check`: loads everything the configuration names; a wrong one is the error, with every problem. */
export const configCheck: CommandRun<NoOptions> = async (context) => {
  await using keepsake = await openSession(context);
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

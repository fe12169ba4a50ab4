import { isKeepsakeError } from "@keepsake/core";
import type { Keepsake } from "@keepsake/runtime";
import type { CommandContext, CommandRun } from "../context.js";
import type { NoOptions } from "../grammar/options.js";
import { openSession } from "../session/open-session.js";

/** `config schema`: the JSON Schema, always as JSON. */
export const configSchema: CommandRun<NoOptions> = async (context) => {
  await using keepsake = await openAnyhow(context);
  const json = keepsake.configSchema();
  context.output.result({
    json,
    quiet: [JSON.stringify(json, null, 2)],
    human: () => `${JSON.stringify(json, null, 2)}\n`,
  });
  return 0;
};

/** Who has a wrong configuration needs the schema most: it is then that of the defaults. */
async function openAnyhow(context: CommandContext): Promise<Keepsake> {
  try {
    return await openSession(context);
  } catch (error) {
    if (!isKeepsakeError(error, "E_CONFIG")) throw error;
    context.output.warn(
      "The configuration is wrong (see `keepsake config check`); its plugins' options are not in the schema.",
    );
    return openSession(context, undefined, "none");
  }
}

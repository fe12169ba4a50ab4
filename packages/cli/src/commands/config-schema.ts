import { isKeepsakeError, type JsonObject } from "@keepsake/core";
import type { CommandContext, CommandRun } from "../context.js";
import type { NoOptions } from "../grammar/options.js";
import { openSession } from "../session/open-session.js";

/** How long a plugin may take to load, in milliseconds. */
const LOAD_TIMEOUT_MS = 30_000;

/**
 * `config schema`: the JSON Schema, always as JSON. Who has a wrong configuration needs it most, to mend it in an editor: it is
 * printed then, too, with the options of every plugin that can be loaded, and what is wrong is the error.
 */
export const configSchema: CommandRun<NoOptions> = async (context) => {
  try {
    print(context, await schemaOf(context));
    return 0;
  } catch (error) {
    context.signal.throwIfAborted();
    if (isKeepsakeError(error)) print(context, await schemaAnyhow(context));
    throw error;
  }
};

async function schemaOf(context: CommandContext): Promise<JsonObject> {
  await using keepsake = await openSession(context);
  return keepsake.configSchema();
}

async function schemaAnyhow({ terminal: { cwd, env }, global }: CommandContext): Promise<JsonObject> {
  const [{ standardPlugins }, { composedSchema, findConfigFile, loadablePlugins }] = await Promise.all([
    import("@keepsake/standard"),
    import("@keepsake/runtime"),
  ]);
  const file = global.config ?? (await findConfigFile(cwd, env));
  const source = file === undefined ? undefined : { file };
  return composedSchema(
    await loadablePlugins({ source, plugins: standardPlugins, cwd, env, timeoutMs: LOAD_TIMEOUT_MS }),
  );
}

function print({ output }: CommandContext, json: JsonObject): void {
  const text = JSON.stringify(json, null, 2);
  output.result({ json, quiet: [text], human: () => `${text}\n` });
}

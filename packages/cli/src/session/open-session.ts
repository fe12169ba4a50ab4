import type { Keepsake } from "@keepsake/runtime";
import type { CommandContext } from "../context.js";
import { CommandLogger } from "./command-logger.js";

/** Where the configuration is looked for: as the global options say, or another one with a state root of its own. */
export type ConfigLookup = "as-told" | { readonly file: string };

/**
 * A ready Keepsake, as the global options and the environment say. The engine and the plugins are loaded here, not when
 * the command starts.
 *
 * @param aroundWrite called for every log line, with what writes it
 * @throws KeepsakeError `E_CONFIG`, `E_PLUGIN_…`
 */
export async function openSession(
  context: CommandContext,
  aroundWrite: (write: () => void) => void = (write) => write(),
  lookup: ConfigLookup = "as-told",
): Promise<Keepsake> {
  const { terminal, global } = context;
  const [{ openKeepsake }, { findConfigFile, lineLogger }] = await Promise.all([
    import("@keepsake/standard"),
    import("@keepsake/runtime"),
  ]);
  const file =
    typeof lookup === "object" ? lookup.file : (global.config ?? (await findConfigFile(terminal.cwd, terminal.env)));
  const write = (line: string): void => aroundWrite(() => terminal.stderr.write(line));
  const logger = new CommandLogger(global, (options) => lineLogger({ ...options, write }));
  const root = global.root ?? terminal.env["KEEPSAKE_ROOT"];
  const keepsake = await openKeepsake({
    config: file === undefined ? undefined : { file },
    stateRoot: root === "" || typeof lookup === "object" ? undefined : root,
    logger,
    cwd: terminal.cwd,
    env: terminal.env,
  });
  logger.configure(keepsake.config.log);
  return keepsake;
}

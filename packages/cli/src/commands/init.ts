import { stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { fromSystemError, KeepsakeError, parseAgentId } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import type { InitOptions } from "../grammar/options.js";
import { agentNameOf } from "../init/agent-name.js";
import { detectMemory } from "../init/detect.js";
import { configTemplate } from "../init/template.js";
import { printable } from "../output/printable.js";
import { countText } from "../output/units.js";

/** `init`: looks at a memory directory and writes a configuration for it; never over a file. */
export const init: CommandRun<InitOptions> = async ({ terminal, global, output }, options) => {
  const memory = resolve(terminal.cwd, options.memory ?? ".");
  await assertDirectory(memory);
  const file = resolve(terminal.cwd, global.config ?? "keepsake.config.yaml");
  const agent = options.agent === undefined ? agentNameOf(memory) : parseAgentId(options.agent);
  const detection = await detectMemory(memory);
  const text = configTemplate({
    agent,
    memory: fromFile(file, memory),
    detection,
    insideMemory: isWithin(dirname(file), memory),
  });
  try {
    await writeFile(file, text, { flag: "wx" });
  } catch (error) {
    throw fromSystemError(error, `The configuration ${JSON.stringify(file)} could not be written`, { path: file });
  }
  const { preset, databases, hasGit, reason } = detection;
  output.result({
    json: { config: file, agent, memory, preset, databases, git: hasGit },
    quiet: [file],
    human: () =>
      `Wrote ${printable(file)} for the agent ${agent}: preset ${preset} (${printable(reason)}).\n` +
      `Found ${countText(databases.length, "database")}${hasGit ? " and a git repository" : ""} in ${printable(memory)}.\n` +
      `Next: keepsake snapshot --agent ${agent}\n`,
  });
  return 0;
};

async function assertDirectory(path: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) return;
  } catch (error) {
    throw fromSystemError(error, `The memory directory ${JSON.stringify(path)} cannot be looked at`, { path });
  }
  throw new KeepsakeError("E_USAGE", `${JSON.stringify(path)} is no directory.`, { context: { path } });
}

/** A path as it stands in a file: relative where it lies below the file's folder. */
function fromFile(file: string, path: string): string {
  const folder = dirname(file);
  if (path === folder) return ".";
  return isWithin(path, folder) ? `.${sep}${relative(folder, path)}` : path;
}

/** True when `path` is `folder` or lies below it. */
function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

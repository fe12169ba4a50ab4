import { readFile } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { KeepsakeError } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import { isPluginKind, PLUGIN_KINDS } from "../create/kinds.js";
import { namesOf } from "../create/names.js";
import { pluginFiles } from "../create/plugin-files.js";
import { writeFolder } from "../create/write-folder.js";
import type { PluginCreateOptions } from "../grammar/options.js";
import { printable } from "../output/printable.js";

/** The command's own package, from `dist/commands`. */
const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));

/** `plugin create`: writes a package that works, to be made one's own. */
export const pluginCreate: CommandRun<PluginCreateOptions> = async (context, { dir }, kind = "", name = "") => {
  if (!isPluginKind(kind)) {
    throw new KeepsakeError("E_USAGE", `There is no kind of plugin ${JSON.stringify(kind)} to create.`, {
      hint: `Choose one of ${PLUGIN_KINDS.join(", ")}.`,
    });
  }
  const { kebab } = namesOf(kind, name);
  const { cwd } = context.terminal;
  const folder = resolve(cwd, dir ?? kebab);
  const { version } = JSON.parse(await readFile(resolve(PACKAGE, "package.json"), "utf8")) as { version: string };
  const files = await pluginFiles(resolve(PACKAGE, "templates"), kind, name, version);
  await writeFolder(folder, files, context.signal);
  context.output.result({
    json: { kind, name, folder, files: [...files.keys()].sort() },
    quiet: [folder],
    human: () =>
      `Wrote the ${kind} ${name} into ${printable(folder)}.\n` +
      `Next: cd ${printable(relative(cwd, folder) || ".")} && npm install && npm test\n`,
  });
  return 0;
};

import { existsSync } from "node:fs";
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

/** What a plugin and its tests are made with, of Keepsake's packages. */
const NEEDED = ["core", "files", "memory", "testkit"];
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
      `Wrote the ${kind} ${name} into ${printable(folder)}.\nNext:\n` +
      nextSteps(relative(cwd, folder) || ".", version)
        .map((step) => `  ${printable(step)}\n`)
        .join(""),
  });
  return 0;
};

/** What the command of a checkout asks for may not be published: it is packed there, once, and installed from there. */
function nextSteps(folder: string, version: string): readonly string[] {
  const pack = resolve(PACKAGE, "../../scripts/pack.mjs");
  const enter = `cd ${quoted(folder)}`;
  if (!existsSync(pack)) return [enter, "npm install", "npm test"];
  const tarballs = NEEDED.map((name) => `../keepsake-tarballs/keepsake-${name}-${version}.tgz`);
  const install = `npm install --no-save ${tarballs.join(" ")}`;
  return [enter, `node ${quoted(pack)} ../keepsake-tarballs`, install, "npm test"];
}

/** For a shell; a path is seldom in need of it. */
function quoted(path: string): string {
  return /^[\w./@:\\-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { KeepsakeError, type Plugin } from "@keepsake/core";
import { TimeLimitError, withTimeLimit } from "../kernel/time-limit.js";
import { checkPlugin } from "./check-plugin.js";
import type { PluginSource } from "./registry.js";

interface LoadOptions {
  /** package names and relative paths are resolved from here */
  readonly baseDir: string;
  readonly timeoutMs: number;
}

/**
 * Loads a plugin that a configuration names.
 *
 * @param entry a package name, a path of a file or of a package's folder, absolute or beginning with a dot, a file URL, or the plugin itself
 * @throws KeepsakeError `E_PLUGIN_LOAD` when it cannot be found or imported or is none, `E_PLUGIN_API`,
 *   `E_PLUGIN_TIMEOUT` when the import does not end
 */
export async function loadPlugin(entry: string | Plugin, options: LoadOptions): Promise<PluginSource> {
  if (typeof entry !== "string") {
    const plugin = checkPlugin(entry, "the program");
    return { plugin, origin: "program", version: plugin.version };
  }
  const { file, version } = await locate(entry, options.baseDir);
  // Node's own error would name the file that imports, which is this one.
  if (!existsSync(file)) {
    throw new KeepsakeError("E_PLUGIN_LOAD", `The plugin ${entry} is not there: ${file} does not exist.`, {
      context: { plugin: entry, file },
      hint: "Relative paths begin at the folder of the configuration file.",
    });
  }
  const plugin = checkPlugin(await importDefault(entry, file, options.timeoutMs), entry);
  return { plugin, origin: file, version: plugin.version ?? version };
}

async function locate(entry: string, baseDir: string): Promise<{ readonly file: string; readonly version?: string }> {
  if (entry.startsWith("file:")) return { file: fileURLToPath(entry) };
  const isPath = entry.startsWith(".") || isAbsolute(entry);
  // Loaded where a configuration names a plugin: most do not.
  const { resolvePackage, resolvePackageFolder } = await import("./resolve-package.js");
  try {
    if (!isPath) return await resolvePackage(entry, baseDir);
    const file = resolve(baseDir, entry);
    return (await resolvePackageFolder(file)) ?? { file };
  } catch (error) {
    throw new KeepsakeError("E_PLUGIN_LOAD", `The plugin ${entry} was not found from ${baseDir}.`, {
      cause: error,
      context: { plugin: entry, from: baseDir },
      ...(isPath ? {} : { hint: `Install it there (npm install ${entry}); a file is written ./like-this.mjs.` }),
    });
  }
}

async function importDefault(entry: string, file: string, timeoutMs: number): Promise<unknown> {
  try {
    const module = (await withTimeLimit(import(pathToFileURL(file).href), timeoutMs)) as { readonly default?: unknown };
    return unwrapCommonJs(module.default);
  } catch (error) {
    const context = { plugin: entry, file };
    if (error instanceof TimeLimitError) {
      throw new KeepsakeError("E_PLUGIN_TIMEOUT", `Importing the plugin ${entry} did not end in ${timeoutMs} ms.`, {
        context,
      });
    }
    const reason = error instanceof Error ? error.message : String(error);
    const { syntaxPlaceOf } = await import("./syntax-place.js");
    const place = await syntaxPlaceOf(error, pathToFileURL(file).href);
    const where = place && `${place.file}:${String(place.line)}:${String(place.column)}`;
    const what = where === undefined ? reason : `${where}: ${reason}`;
    throw new KeepsakeError("E_PLUGIN_LOAD", `The plugin ${entry} could not be imported: ${what}`, {
      cause: error,
      context: { ...context, ...place },
    });
  }
}

/** An ES module compiled to CommonJS arrives as `{ __esModule: true, default }`. */
function unwrapCommonJs(value: unknown): unknown {
  const compiled = typeof value === "object" && value !== null && "__esModule" in value && "default" in value;
  return compiled ? value.default : value;
}

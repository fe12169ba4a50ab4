import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isJsonObject, type JsonValue, KeepsakeError } from "@keepsake/core";
import type { PluginFixtures } from "./plugin-fixtures.js";

/**
 * Reads the file of `--options`: an object by provider name. A module has it as its default export, and may export
 * `conformance`, by provider name too.
 *
 * @throws KeepsakeError `E_CONFIG` when it cannot be read or is no such object
 */
export async function readFixtures(file: string | undefined, cwd: string): Promise<PluginFixtures> {
  if (file === undefined) return { options: {}, fixtures: {}, baseDir: cwd };
  const path = resolve(cwd, file);
  const { options, fixtures } = await contentOf(path).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KeepsakeError("E_CONFIG", `The options ${path} cannot be read: ${reason}`, {
      cause: error,
      context: { file: path },
    });
  });
  if (isByName(options) && isByName(fixtures)) {
    return { options, fixtures, baseDir: dirname(path) } as PluginFixtures;
  }
  throw new KeepsakeError("E_CONFIG", `The options ${path} are no object of objects by provider name.`, {
    context: { file: path },
    hint: "Write, for example, `my-store: { bucket: test }`.",
  });
}

async function contentOf(path: string): Promise<{ readonly options: unknown; readonly fixtures: unknown }> {
  if (/\.[cm]?js$/.test(path)) {
    const module = (await import(pathToFileURL(path).href)) as {
      readonly default?: unknown;
      readonly conformance?: unknown;
    };
    return { options: module.default ?? {}, fixtures: module.conformance ?? {} };
  }
  const { parse } = await import("yaml");
  return { options: parse(await readFile(path, "utf8")) as unknown, fixtures: {} };
}

function isByName(value: unknown): boolean {
  return isJsonObject(value) && Object.values<JsonValue>(value).every(isJsonObject);
}

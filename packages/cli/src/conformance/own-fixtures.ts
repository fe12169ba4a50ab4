import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { errnoOf, isJsonObject, type JsonValue, KeepsakeError } from "@keepsake/core";

/**
 * The file of `--options` that the package in a folder names itself, as `keepsake.conformance` of its package.json. What is
 * installed is tested as a user would have it, without: the tests of a package are not published with it.
 *
 * @param entry an absolute path, or a package name
 * @returns absolute; undefined where it names none
 * @throws KeepsakeError `E_CONFIG` when the package.json is none, or the file is not there
 */
export async function ownFixtures(entry: string): Promise<string | undefined> {
  if (!isAbsolute(entry)) return undefined;
  const file = join(entry, "package.json");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    // No folder, or one of no package: loading the plugin says what is wrong.
    if (errnoOf(error) !== undefined) return undefined;
    throw error;
  }
  const named = conformanceIn(parsed(text, file));
  if (typeof named !== "string") return undefined;
  const path = join(entry, named);
  if (existsSync(path)) return path;
  throw new KeepsakeError("E_CONFIG", `${JSON.stringify(path)} is not there, which ${JSON.stringify(file)} names.`, {
    context: { file, conformance: path },
    hint: "Where it is compiled, build the package first: npm test, or npm run build.",
  });
}

function conformanceIn(manifest: JsonValue): JsonValue | undefined {
  const own = isJsonObject(manifest) ? manifest["keepsake"] : undefined;
  return isJsonObject(own) ? own["conformance"] : undefined;
}

function parsed(text: string, file: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new KeepsakeError("E_CONFIG", `${JSON.stringify(file)} is no JSON.`, { cause: error, context: { file } });
  }
}

import { access } from "node:fs/promises";
import { resolve } from "node:path";

const NAMES = ["keepsake.config.yaml", "keepsake.config.yml", "keepsake.config.json", "keepsake.config.mjs"];

/**
 * The configuration file that applies in a working directory: `$KEEPSAKE_CONFIG` (which is not looked at, so that a
 * wrong one is an error later), else the first `keepsake.config.{yaml,yml,json,mjs}` there.
 *
 * @returns an absolute path, or undefined where the built-in defaults apply
 */
export async function findConfigFile(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const named = env["KEEPSAKE_CONFIG"];
  if (named !== undefined && named !== "") return resolve(cwd, named);
  for (const name of NAMES) {
    const file = resolve(cwd, name);
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists) return file;
  }
  return undefined;
}

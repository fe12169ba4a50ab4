import { readFile } from "node:fs/promises";
import { errnoOf, KeepsakeError, type SecretReader } from "@keepsake/core";
import { resolvePath } from "./config/state-root.js";

/** Reads secrets from the environment and from files; paths are relative to `baseDir`. */
export function secretReader(baseDir: string, env: Readonly<Record<string, string | undefined>>): SecretReader {
  return {
    async read(ref) {
      if ("env" in ref) {
        const value = env[ref.env];
        if (value !== undefined && value !== "") return value;
        throw new KeepsakeError("E_CONFIG", `The secret's environment variable ${ref.env} is not set.`, {
          context: { env: ref.env },
        });
      }
      const file = resolvePath(ref.file, baseDir, env);
      try {
        // Editors and `echo` end a file with a newline that is no part of the secret.
        return (await readFile(file, "utf8")).replace(/\r?\n$/, "");
      } catch (error) {
        throw new KeepsakeError(
          "E_CONFIG",
          `The secret's file ${file} cannot be read (${errnoOf(error) ?? "unknown error"}).`,
          {
            cause: error,
            context: { file },
          },
        );
      }
    },
  };
}

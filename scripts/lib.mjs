/** What the scripts of this folder share. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The built command. */
export const CLI = join(root, "packages/cli/bin/keepsake.js");

/** The workspace's packages, relative to the root. */
export function packageDirectories() {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}`);
  return [...packages, "examples", "test"].filter((directory) => existsSync(join(root, directory, "package.json")));
}

/** Runs a program in the root with this terminal, and returns its exit status; never throws for a failure of it. */
export function run(command, args, options = {}) {
  const shell = process.platform === "win32";
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", shell, ...options });
  if (error) process.stderr.write(`${command}: ${error.message}\n`);
  if (signal) process.stderr.write(`${command}: ended by ${signal}\n`);
  return status ?? 1;
}

import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** @returns its name and version, however it words it; nothing when it is not installed */
export function versionOf(program, ...args) {
  try {
    const text = execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    const [version = "of an unknown version"] = /\d+(\.\d+)+/.exec(text) ?? [];
    return `${program} ${version}`;
  } catch {
    return undefined;
  }
}

/** Runs what is not measured. */
export function runQuietly(argv, { cwd, env } = {}) {
  const [program, ...args] = argv;
  return execFileSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** @returns how many files there are below a folder, and what they hold in bytes */
export function sizeOf(dir) {
  let [files, bytes] = [0, 0];
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    files += 1;
    bytes += statSync(join(entry.parentPath ?? entry.path, entry.name)).size;
  }
  return { files, bytes };
}

/** A word for the shell. */
export function quoted(word) {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Runs shell blocks as a reader would, and checks configurations with the real command. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { CLI, root } from "../lib.mjs";

const TIME_LIMIT_MS = 180_000;

/** An environment in which nothing of this machine's user is read or written, and `keepsake` is the built command. */
function privateEnv(place) {
  const bin = join(place, "bin");
  mkdirSync(bin);
  mkdirSync(join(place, "tmp"));
  writeFileSync(join(bin, "keepsake"), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`, { mode: 0o755 });
  const env = { ...process.env };
  for (const name of ["KEEPSAKE_ROOT", "KEEPSAKE_CONFIG"]) delete env[name];
  const own = { HOME: place, TMPDIR: join(place, "tmp"), XDG_DATA_HOME: join(place, "data"), NO_COLOR: "1" };
  return { ...env, ...own, PATH: `${bin}:${env.PATH}` };
}

/**
 * Runs all blocks of one text in one shell. It stops at the first command that fails.
 *
 * @returns one problem, with the line of the block, or none
 */
export async function runShell(blocks, temporary) {
  const place = mkdtempSync(join(temporary, "shell-"));
  const env = privateEnv(place);
  const work = join(place, "work");
  mkdirSync(work);
  // Descriptor 3 tells which block is running.
  const script = blocks.map(({ line, text }) => `echo ${line} >&3\n${text}`).join("\n");
  const file = join(place, "script.sh");
  writeFileSync(file, `set -euo pipefail\n${script}`);
  const cwd = blocks[0].settings.in === "checkout" ? root : work;
  const child = spawn("bash", [file], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  let [output, progress] = ["", ""];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  child.stdio[3].on("data", (chunk) => (progress += chunk));
  const timer = setTimeout(() => endGroup(child), TIME_LIMIT_MS);
  const [status, signal] = await once(child, "exit");
  clearTimeout(timer);
  // What a block left running in the background ends with the text.
  endGroup(child);
  if (status === 0) return [];
  const line = Number(progress.trimEnd().split("\n").at(-1)) || blocks[0].line;
  const last = output.trimEnd().split("\n").slice(-15).join("\n  ");
  return [{ file: blocks[0].file, line, message: `a command of this block ended with ${status ?? signal}\n  ${last}` }];
}

function endGroup(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Everything in it has ended already.
  }
}

/** @returns one problem, or none */
export function checkConfig({ file, line, text, settings }, temporary) {
  const place = mkdtempSync(join(temporary, "config-"));
  symlinkSync(join(root, "examples/node_modules"), join(place, "node_modules"));
  if (settings.with !== undefined) copyFileSync(join(root, settings.with), join(place, basename(settings.with)));
  writeFileSync(join(place, "keepsake.config.yaml"), text);
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, "config", "check"], {
    cwd: place,
    env: privateEnv(place),
    encoding: "utf8",
  });
  return status === 0 ? [] : [{ file, line, message: `is not a valid configuration\n${stdout}${stderr}` }];
}

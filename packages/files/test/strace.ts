import { execFile, spawnSync } from "node:child_process";

const found = spawnSync("strace", ["-V"]).status === 0;
if (!found && process.env["KEEPSAKE_REQUIRE_TOOLS"] === "1") throw new Error("strace is required and not installed");
if (!found) console.log("strace is not installed: the sweeps over system calls are left out");

/** Whether processes can be stopped at a chosen system call here. */
export const hasStrace = found;

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** Runs Node on `args` with one fault put into its `when`-th call of `syscall`; with `path`, of those on that file. */
export async function runWithFault(
  syscall: string,
  fault: string,
  when: string,
  args: readonly string[],
  path?: string,
): Promise<Ended> {
  const on = path === undefined ? [] : ["-P", path];
  const inject = `inject=${syscall}:${fault}:when=${when}`;
  const options = ["-f", "-qq", "-o", "/dev/null", ...on, "-e", `trace=${syscall}`, "-e", inject];
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1" };
  return new Promise((resolve) => {
    const child = execFile("strace", [...options, process.execPath, ...args], { env }, (_error, _out, stderr) => {
      resolve({ code: child.exitCode, stderr });
    });
  });
}

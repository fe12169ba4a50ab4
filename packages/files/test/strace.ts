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

/** Runs Node on `args` with one fault put into its `when`-th call of `syscall`. */
export async function runWithFault(
  syscall: string,
  fault: string,
  when: string,
  args: readonly string[],
): Promise<Ended> {
  const inject = `inject=${syscall}:${fault}:when=${when}`;
  const traced = ["-f", "-qq", "-o", "/dev/null", "-e", `trace=${syscall}`, "-e", inject, process.execPath, ...args];
  return new Promise((resolve) => {
    const child = execFile(
      "strace",
      traced,
      { env: { ...process.env, UV_THREADPOOL_SIZE: "1" } },
      (_error, _out, stderr) => {
        resolve({ code: child.exitCode, stderr });
      },
    );
  });
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("hold-lock.mjs", import.meta.url));

/** A process that holds a lock; it is killed, and so leaves it, when disposed. */
export async function holdLock(root: string, name: string): Promise<AsyncDisposable> {
  const child = spawn(process.execPath, [PROGRAM, root, name], { stdio: ["ignore", "pipe", "inherit"] });
  await Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(() => Promise.reject(new Error("the lock could not be taken"))),
  ]);
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** So many files are synced one by one in the time that a program takes to start. */
const FEW_FILES = 8;

const run = promisify(execFile);

/**
 * Makes all that was written until now on the file systems of `folders` survive a power cut, with one call for each, where
 * there are more than a few files: a call for every file waits for the disk as often. The call is syncfs(2), which Node does
 * not have; `sync -f` of the system makes it.
 *
 * @param files how many were written
 * @param folders absolute paths
 * @returns false when it was not done: then every file has to be synced by itself
 */
export async function syncAtOnce(files: number, folders: Iterable<string>): Promise<boolean> {
  // Elsewhere the program takes no option, and does not wait.
  if (files <= FEW_FILES || process.platform !== "linux") return false;
  try {
    for (const folder of folders) await run("sync", ["-f", folder]);
    return true;
  } catch {
    // There is no such program, or it failed: what is wrong with a file is told by its own sync.
    return false;
  }
}

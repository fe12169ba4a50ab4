import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errnoOf, fromSystemError, KeepsakeError } from "@keepsake/core";

/**
 * Makes a folder with these files, whole or not at all: written beside its place under another name, then renamed. One that
 * exists and is empty may be somebody's working directory and stays the folder it is: there the files are written in their
 * order, and taken away again on a failure.
 *
 * @param folder absolute
 * @param files text by path, `/`-separated
 * @throws KeepsakeError `E_ALREADY_EXISTS` when there is something; nothing of it is touched
 */
export async function writeFolder(
  folder: string,
  files: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (await isThereEmpty(folder)) await writeInto(folder, files, signal);
    else await writeBeside(folder, files, signal);
  } catch (error) {
    if (signal.aborted && error === signal.reason) throw error;
    if (["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(errnoOf(error) ?? "")) throw taken(folder, error);
    throw fromSystemError(error, `The folder ${JSON.stringify(folder)} could not be written`, { path: folder });
  }
}

async function isThereEmpty(folder: string): Promise<boolean> {
  try {
    if ((await readdir(folder)).length === 0) return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
  throw taken(folder);
}

async function writeBeside(folder: string, files: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> {
  const parent = dirname(folder);
  const partial = join(parent, `.${basename(folder)}.${randomBytes(6).toString("hex")}.partial`);
  const firstMade = await mkdir(parent, { recursive: true });
  try {
    await mkdir(partial);
    await writeInto(partial, files, signal);
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    if (firstMade !== undefined) await removeEmpty(parent, firstMade);
    throw error;
  }
}

async function writeInto(folder: string, files: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> {
  const made: string[] = [];
  try {
    for (const [path, text] of files) {
      signal.throwIfAborted();
      const file = join(folder, ...path.split("/"));
      const firstMade = await mkdir(dirname(file), { recursive: true });
      if (firstMade !== undefined) made.push(firstMade);
      await writeFile(file, text, { flag: "wx" });
      made.push(file);
    }
  } catch (error) {
    for (const path of made.toReversed()) await rm(path, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/** The parents that were made for it, from the innermost on, as far as nobody else has put something there. */
async function removeEmpty(innermost: string, outermost: string): Promise<void> {
  for (let dir = innermost; dir.length >= outermost.length; dir = dirname(dir)) {
    const isRemoved = await rmdir(dir).then(
      () => true,
      () => false,
    );
    if (!isRemoved) return;
  }
}

function taken(folder: string, cause?: unknown): KeepsakeError {
  return new KeepsakeError("E_ALREADY_EXISTS", `There is already something in ${JSON.stringify(folder)}.`, {
    cause,
    context: { path: folder },
    hint: "Name a folder that does not exist, or an empty one, with --dir.",
  });
}

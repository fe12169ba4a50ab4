import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "@keepsake/core";
import { fsyncDirectory } from "@keepsake/files/basics";

/**
 * Makes folders whose names survive a power cut, and remembers which do.
 *
 * It does not trust a folder that is merely there: another process may have made it a moment ago and not have synced it.
 */
export class DurableFolders {
  readonly #root: string;
  readonly #durable = new Set<string>();

  /** @param root absolute path of the folder that the others are below; made with them when it is missing */
  constructor(root: string) {
    this.#root = root;
  }

  /**
   * @param folder the root or a folder below it; absolute
   * @throws the system error
   */
  async ensure(folder: string): Promise<void> {
    const firstMade = await makeFolders(folder);
    if (firstMade !== undefined) this.#forget(firstMade);
    // How the root came to be is the business of whoever made it.
    const madeRoot = firstMade !== undefined && isWithin(this.#root, firstMade);
    const end = madeRoot ? dirname(firstMade) : this.#root;
    const synced: string[] = [];
    for (let current = folder; current !== end && !this.#durable.has(current); current = dirname(current)) {
      await fsyncDirectory(dirname(current));
      synced.push(current);
    }
    for (const path of synced) this.#durable.add(path);
  }

  /** What was removed and made again is new. */
  #forget(made: string): void {
    for (const path of this.#durable) if (isWithin(path, made)) this.#durable.delete(path);
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/**
 * Makes a folder and what is missing above it; returns the topmost that was made. Node's own recursive mkdir answers
 * `ENOENT` where the file system is read-only.
 */
async function makeFolders(folder: string): Promise<string | undefined> {
  try {
    return (await makeFolder(folder)) ? folder : undefined;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" || folder === dirname(folder)) throw error;
  }
  const top = await makeFolders(dirname(folder));
  const made = await makeFolder(folder);
  return top ?? (made ? folder : undefined);
}

/** @returns false when there was one already */
async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}
